"""The embedded cluster as a provider: one background process that needs neither Docker nor privileges."""
