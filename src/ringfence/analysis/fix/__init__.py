"""The smallest change that makes a flow pass, every other one of its size, and what each would open besides. Pure."""
