"""Reading notation word by word, so that each message names the word that is wrong."""

from __future__ import annotations

import re

from ringfence.errors import NotationError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')


class Words:
    """The words of one line; ``what`` and ``form`` are what the line should be, for messages."""

    def __init__(self, text: str, what: str, form: str) -> None:
        self._words: list[str] = [*_TOKEN.findall(text), ""]  # the empty one stands at the end, and nothing takes it
        self._what, self._form = what, form
        if '"' in text and _TOKEN.sub("", text).strip():
            raise NotationError(f"a quote in {text!r} is not closed", "put the description in double quotes")
        self._next = 0

    def peek(self) -> str:
        """The next word; empty at the end."""
        return self._words[self._next]

    @property
    def at_end(self) -> bool:
        """Whether no word is left."""
        return not self._words[self._next]

    def take(self, what: str) -> str:
        """The next word, which must be there."""
        word = self._words[self._next]
        if not word:
            raise NotationError(f"the {self._what} ends where its {what} should be", self._form)
        self._next += 1
        return word

    def skip(self, word: str) -> bool:
        """Whether the next word is this one; if so, it is taken."""
        found = self._words[self._next] == word
        self._next += found
        return found

    def one_of(self, what: str, choices: tuple[str, ...]) -> str:
        """The next word, one of several."""
        word = self.take(what)
        if word not in choices:
            raise NotationError(f"{word!r} stands where the {what} should be", f"use {' or '.join(choices)}")
        return word

    def number(self, what: str) -> int:
        """The next word, as a number."""
        word = self.take(what)
        if not (word.isascii() and word.isdigit() and len(word) < 10):
            raise NotationError(f"{word!r} is not a {what}", "use a number")
        return int(word)

    def quoted(self) -> str:
        """The description at the end: a text in double quotes, or nothing."""
        if not self.peek().startswith('"'):
            return ""
        return re.sub(r"\\(.)", r"\1", self.take("description")[1:-1])

    def end(self) -> None:
        """Refuse what is left."""
        if not self.at_end:
            raise NotationError(f"{self.peek()!r} is not understood here", self._form)


def quote(text: str) -> str:
    """A description as `Words.quoted` reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
