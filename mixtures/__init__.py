"""Numbers in, mixture weights out."""
