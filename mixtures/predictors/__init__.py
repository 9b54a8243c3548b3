"""Predictors: from the weights of a mixture to the loss of a model trained on it; one per file."""
