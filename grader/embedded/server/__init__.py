"""The outer layer of the embedded cluster: sockets, TLS, files, the clock. Everything with a side effect is here."""
