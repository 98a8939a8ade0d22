"""The JSON Schemas of what forensix writes."""
