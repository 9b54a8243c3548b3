"""Readers of public test formats: records as others publish them become suites."""
