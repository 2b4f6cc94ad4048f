"""Writing: bodies, patches, managed fields, create, update, delete."""
