"""What ends are called that no world names."""

from __future__ import annotations

from typing import Final

INTERNET: Final = "internet"
"""All of the outside."""
LARGEST: Final = "outside"
"""The largest class outside: the internet, but for the parts that rules tell apart."""
OTHERS: Final = "other accounts"
"""The ends of other accounts, all of them."""
