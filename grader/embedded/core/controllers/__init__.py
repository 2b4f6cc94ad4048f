"""The controllers that make the objects in the Store live; each is what its namesake in kube-controller-manager is."""
