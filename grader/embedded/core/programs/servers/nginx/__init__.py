"""nginx: its configuration, and a server that does what it says."""
