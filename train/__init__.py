"""One compact language model: data order, optimiser, loop, checkpoints."""
