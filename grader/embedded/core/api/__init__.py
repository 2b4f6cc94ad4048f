"""The emulated kube-apiserver: requests in, answers out, on the store. `server.ApiServer` is the entrance."""
