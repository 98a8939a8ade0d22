"""Camera or generator: traces that the up-sampling layers of image generators leave."""
