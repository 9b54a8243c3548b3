"""Search: which mixture to train on, found with proxy runs and believed when measured."""
