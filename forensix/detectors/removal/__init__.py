"""What was taken out: holes that were filled."""
