"""Data sets: what they are, where their files come from. Imports support."""
