"""Criteria: the kinds of what an exercise can ask for, one module each, behind one protocol and in one registry."""
