"""Was something from elsewhere put into the picture?"""
