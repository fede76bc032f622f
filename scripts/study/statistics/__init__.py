"""Statistics of numbers, whatever they measure. Imports no other room."""
