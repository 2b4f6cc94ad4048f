"""Servers of the emulated images."""
