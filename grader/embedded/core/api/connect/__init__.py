"""Requests that lead into the network: exec, logs, port-forward, proxies."""
