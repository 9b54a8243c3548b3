"""Deduplication: global stages that keep one survivor per duplicate cluster."""
