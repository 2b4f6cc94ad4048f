"""Causes: what kinds of criteria share to find out why something does not hold. Pure, below every kind."""
