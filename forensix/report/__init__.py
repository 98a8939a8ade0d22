"""Reports: pure functions of a ScanResult (and of pictures handed in as bytes)."""
