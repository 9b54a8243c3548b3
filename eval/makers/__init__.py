"""Suites made from a judge's own held-out documents; deterministic."""
