"""Which configurations come next, given the results. Imports results, spec and support."""
