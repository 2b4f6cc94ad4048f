"""The course in a notebook: `%load_ext grader`, `%%apply`, and `start`, `check` and the like, which show cards."""
