"""The types of Kubernetes and their fields."""
