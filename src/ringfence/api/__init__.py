"""The native REST API: a thin translator to the operations of `control`."""
