"""Standard sets of forgeries, as data."""
