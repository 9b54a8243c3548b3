"""Documents in clusters by the direction of their vectors."""
