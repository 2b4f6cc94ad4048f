"""A learner's sitting: start, hints, progress, the watch, the shell and the lab."""
