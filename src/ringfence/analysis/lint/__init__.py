"""What an expert would say of a world on looking through it: findings, each with severity, place, reason and fix.

Every check is a function in `ringfence.analysis.lint.registry`, which says what it is for and where that comes from.
"""
