"""What ends are called that no world names."""

from typing import Final

INTERNET: Final = "internet"
"""All of the outside."""
