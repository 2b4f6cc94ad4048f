"""The way to a cluster: a light JSON client for the API server, and the real kubectl that the course brings along.

Nothing here imports the official client at start: its models cost most of a second, and a check has 100 ms.
"""
