"""Secrets at rest, keys and tokens, and signatures: nothing in here knows what a caller may do."""
