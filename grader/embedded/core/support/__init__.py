"""What the embedded cluster does of Kubernetes, what has no effect by nature, and what it only stores and warns of."""
