"""Makes labelled forgeries."""
