"""Results as other tools keep them. Imports search, results, spec and support."""
