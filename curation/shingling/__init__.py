"""Words and shingles as hashes, fast: what dedup and decontamination compare."""
