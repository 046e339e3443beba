"""Drivers that put a Plan into force. They hold no meaning: every decision is in the Plan already."""
