"""Observe: the only part that asks a cluster. It knows what criteria need to be asked, and nothing of points."""

from grader.observe.observer import Observer
from grader.observe.target import Target

__all__ = ["Observer", "Target"]
