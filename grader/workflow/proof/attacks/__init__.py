"""Attacks on right answers: each breaks one clause of an exercise, or none, and knows what must come of it."""
