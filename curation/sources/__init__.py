"""Input formats; one file per format, found by the registry."""
