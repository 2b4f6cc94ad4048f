"""The embedded cluster without any socket, thread or clock of its own (sans-IO)."""
