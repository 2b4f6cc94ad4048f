"""Signals by their numbers, and the descriptors of output: what Linux calls them (signal(7), stdout(3))."""

from __future__ import annotations

SIGINT, SIGQUIT, SIGKILL, SIGSEGV, SIGPIPE, SIGTERM = 2, 3, 9, 11, 13, 15
STDOUT, STDERR = 1, 2
