"""Figures: one file for each, and what they share. Imports what it shows."""
