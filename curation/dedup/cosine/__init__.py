"""The rounds of `semantic_dedup`."""
