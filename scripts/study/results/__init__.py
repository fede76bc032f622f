"""What came out: metrics, summary, comparisons, findings.

Imports runs, spec, statistics and support.
"""
