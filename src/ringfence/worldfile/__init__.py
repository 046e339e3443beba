"""World files: YAML text to World, every mistake with its line."""
