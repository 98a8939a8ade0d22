"""Which device or program wrote this file, and does what it says of itself hold together?"""
