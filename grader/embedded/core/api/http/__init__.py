"""HTTP of the API: messages, negotiation, encodings, refusals, paths."""
