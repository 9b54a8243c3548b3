"""Scores of trained models and comparisons of recipes."""
