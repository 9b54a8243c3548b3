"""The rounds of `minhash_dedup`: sign, bucket, verify, cluster, decide, remember."""
