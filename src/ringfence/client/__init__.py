"""The client of the native API: what the command line and agents ask a server by."""
