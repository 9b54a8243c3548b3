"""Test items in training data: evidence of them, passages to look for, and where they occur."""
