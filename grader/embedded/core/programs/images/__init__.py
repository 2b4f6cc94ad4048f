"""Which images there are, what is in them, and how a command runs in one."""
