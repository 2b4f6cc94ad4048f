"""Clusters as providers behind one protocol: kind, an existing context, embedded."""
