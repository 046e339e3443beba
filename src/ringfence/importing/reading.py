"""What all readers share: the draft that they add to, and the watch over fields that nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from ringfence.errors import BadImportFile
from ringfence.importing.draft import Draft
from ringfence.importing.report import Outcome
from ringfence.importing.source import EMPTY, Item


@dataclass
class Reading:
    """One import. ``lenient``: fields that are not known are told, instead of refusing the files."""

    draft: Draft = field(default_factory=Draft)
    lenient: bool = False
    _unknown: list[tuple[Item, str]] = field(default_factory=list)
    _watched: list[Item] = field(default_factory=list)

    def decisive(self, item: Item, read: Set[str], passed: Set[str] = frozenset()) -> None:
        """Watch over something whose every field may decide about packets, as those of a rule.

        ``read`` are those that are read, ``passed`` those that are known to decide nothing. What is empty says nothing.
        """
        said = (name for name, value in item.mapping().items() if value not in EMPTY)
        self._unknown += [(item, name) for name in said if name not in read and name not in passed]

    def watch(self, item: Item) -> None:
        """Tell in the end which fields inside of it no reader asked for."""
        self._watched.append(item)

    def finish(self) -> None:
        """Refuse the files if they say what is not known, or tell it. Raises `BadImportFile`."""
        if self._unknown and not self.lenient:
            item, name = self._unknown[0]
            found = item.get(name)
            more = sorted({other for _, other in self._unknown} - {name})
            others = f"; nor are {', '.join(more)}" if more else ""
            what = f"the field {name!r} is not known, and may decide what passes{others}"
            raise BadImportFile(found.source.name, found.line, found.where, what, "import with --lenient without it")
        for item, name in self._unknown:
            why = "this version does not know it, and it may decide what passes"
            self.draft.report.note(Outcome.TOLD, item.get(name), f"field {name}", why, "it is not read")
        for item in self._watched:
            self.draft.report.unread.update((item.source.name, shape) for shape in item.unasked())


Read = Callable[[Reading, Item], None]
"""What reads one thing of a list."""


def fields(*names: str) -> frozenset[str]:
    """A set of field names, several of them in one text."""
    return frozenset(name for each in names for name in each.split())
