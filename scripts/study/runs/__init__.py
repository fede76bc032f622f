"""Runs on disk and in the making: fingerprint, checkpoint, record, failures, devices.

Imports learning, spec and support.
"""
