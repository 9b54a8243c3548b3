"""Scorers: stages that add columns and drop nothing."""
