"""The service as processes."""
