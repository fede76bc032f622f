"""What is asked: the config, its settings and claims, and the plan made of them.

Imports data and support.
"""
