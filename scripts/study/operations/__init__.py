"""Looking at a study and looking after it: status, pruning, verification.

Imports what it operates on.
"""
