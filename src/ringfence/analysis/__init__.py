"""Questions about a world: why, who can reach whom, what a change changes, and what could be better. Pure."""
