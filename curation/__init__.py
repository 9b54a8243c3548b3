"""Documents in, documents out: sources, stages, datasets and the runner."""
