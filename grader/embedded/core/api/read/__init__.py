"""Reading: lists, watches, selectors, tables, versions."""
