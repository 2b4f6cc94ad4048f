"""Observe: the only part that asks a cluster. It knows what criteria need to be asked, and nothing of points."""
