"""The service as a process: its parts put together, started, watched and stopped."""
