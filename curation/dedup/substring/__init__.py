"""The rounds of `substring_dedup`: windows of bytes, on disk, in partitions."""
