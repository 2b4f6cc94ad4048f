"""The kubelets: Pods bound to a node become running programs, and their status tells so."""
