"""What is served, and the rules of each kind: defaults, validation, what an update may change."""
