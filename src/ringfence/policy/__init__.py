"""What a world means for a flow: the decision list of a port, and `evaluate` with its trace. Pure."""
