"""One module a schema: what it adds to the one before. They go forward only; the way back is a backup."""
