"""Long experiments whose tables the README shows: `make studies`. Resumable; need ../shared/data."""
