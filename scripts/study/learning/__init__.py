"""The training code, exactly what the digest in a run's fingerprint covers.

Imports no other room.
"""
