"""The rounds of `line_dedup` and `paragraph_dedup`: find, tally, compare, cut."""
