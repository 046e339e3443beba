"""What the single rules of a list do: what they decide, and which of them nobody would miss."""
