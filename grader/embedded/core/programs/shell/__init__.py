"""The POSIX shell of the emulated images."""
