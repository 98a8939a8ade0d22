"""How often was this file compressed, with what, and do its parts agree?"""
