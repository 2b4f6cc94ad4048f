"""The jobs behind the commands: start, check, reset, apply, verify. Each takes an Exercise and a ClusterInfo."""
