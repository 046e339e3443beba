"""Questions about a world: why, and later reachability, lint, difference and the smallest fix. Pure."""
