"""Frozen data that flows one way: Exercise and Evidence in, Report out. No side effects, no Kubernetes client."""
