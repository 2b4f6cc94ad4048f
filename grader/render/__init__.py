"""Report → terminal text, HTML card, JSON, JUnit XML. Knows words and shapes; no Kubernetes, no cluster, no points.

`card.py` turns a Report (or an error) into the words of a card once; `terminal.py` and `html.py` only lay them out.
"""
