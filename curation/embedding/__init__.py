"""Texts as vectors: what embeds them, and the stage that does."""
