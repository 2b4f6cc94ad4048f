"""The course in a notebook: `%load_ext grader`, `%%apply`, and `start`, `check`, `hint`, `watch`, which show cards."""
