"""What developers run from the root of the checkout: `python -m tools.NAME`, but for install.py and lock."""
