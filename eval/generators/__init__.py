"""Makes the built-in suites, byte for byte: `python -m eval.generators`."""
