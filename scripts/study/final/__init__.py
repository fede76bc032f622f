"""The final model: its weights, evaluation and exports.

Imports data, runs, spec, statistics and support.
"""
