"""Pure array functions that two or more detectors share."""
