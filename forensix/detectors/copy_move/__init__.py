"""Has a part of the picture been copied to another place in it?"""
