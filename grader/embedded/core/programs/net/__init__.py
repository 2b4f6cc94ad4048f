"""Network tools, and the HTTP, TLS and name resolution they share."""
