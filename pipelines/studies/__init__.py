"""Long experiments whose tables the README shows: `make studies`. They need ../shared/data."""
