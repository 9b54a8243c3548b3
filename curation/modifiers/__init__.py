"""Modifiers: stages that edit text."""
