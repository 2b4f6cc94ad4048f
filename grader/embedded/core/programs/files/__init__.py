"""A container's file system, and the tools that read and filter files."""
