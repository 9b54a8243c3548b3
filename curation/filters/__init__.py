"""Filters: stages that measure documents and drop some with a reason."""
