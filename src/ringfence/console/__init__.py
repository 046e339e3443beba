"""Pages for people who look with a browser."""
