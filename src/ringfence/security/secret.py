"""A text that must not be seen: it shows itself only when asked by name."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn, final


def same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


@final
class Secret:
    """A secret text. Printing, formatting and logging it shows nothing; it cannot be pickled.

    >>> str(Secret("hunter2"))
    'Secret(…)'
    """

    __slots__ = ("_text",)
    __hash__ = None  # type: ignore[assignment]  # a secret is compared, not looked up
    _text: Final[str]

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself: for sealing, signing, and the one answer that tells it to its owner."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return same(self._text, other._text) if isinstance(other, Secret) else NotImplemented

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: seal it")
