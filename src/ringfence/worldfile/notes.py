"""What reading a world file leaves behind besides the world: the mistakes, and the place of everything."""

from __future__ import annotations

from yaml import Mark

from ringfence.errors import Mistake
from ringfence.model.validation import Path

_SINGULAR = {
    "vpcs": "VPC",
    "subnets": "subnet",
    "border": "border rule",
    "peerings": "peering",
    "firewall": "firewall rule",
    "acls": "ACL",
    "address_groups": "address group",
    "port_lists": "port list",
    "groups": "group",
    "rules": "rule",
    "instances": "instance",
    "ports": "port",
    "virtual_ips": "virtual IP",
    "blocks": "block",
    "outside": "outside host",
    "expect": "expectation",
}


def label(path: Path) -> str:
    """A path in words: ``rule 3 of group sg-web``; list items count from 1."""
    words: list[str] = []
    rest = list(path)
    while rest:
        key = rest.pop(0)
        if key in _SINGULAR and rest:
            name = rest.pop(0)
            words.append(f"{_SINGULAR[str(key)]} {name + 1 if isinstance(name, int) else name}")
        else:
            words.append(f"item {key + 1}" if isinstance(key, int) else key)
    return " of ".join(reversed(words)) or "the file"


class Notes:
    """Collects mistakes, and knows what they leave in doubt, so that what only follows from them is not reported."""

    def __init__(self) -> None:
        self._places: dict[Path, Mark] = {}
        self._mistakes: list[Mistake] = []
        self._wrong: set[Path] = set()
        self._broken: set[Path] = set()
        self._unread: set[Path] = set()

    def add(self, path: Path, mark: Mark, code: str, what: str, right: str) -> None:
        """Note a mistake of the thing at ``path``, which stands at ``mark``."""
        self._mistakes.append(Mistake(mark.line + 1, mark.column + 1, code, what, right))
        self.doubt(path)

    def unread(self, path: Path) -> None:
        """Mark a thing as one whose parts are not known, besides its own mistake."""
        self._unread.add(path)

    def doubt(self, path: Path) -> None:
        """Mark a thing as unreadable without a mistake of its own: something that it needs has one."""
        self._wrong.add(path)
        self._broken.update(path[:length] for length in range(len(path) + 1))

    def place(self, path: Path, mark: Mark) -> None:
        """Say where the thing at ``path`` stands."""
        self._places[path] = mark

    def where(self, path: Path) -> Mark:
        """The place of a thing, or of the nearest thing around it that the file names."""
        return next(self._places[path[:length]] for length in range(len(path), -1, -1) if path[:length] in self._places)

    def broken(self, *path: str | int) -> bool:
        """Whether there is a mistake in the thing at ``path`` or in anything inside it."""
        return path in self._broken

    def doubtful(self, *path: str | int) -> bool:
        """Whether it is not known for sure what the author meant at ``path``."""
        return self.broken(*path) or self.lost(*path)

    def lost(self, *path: str | int) -> bool:
        """Whether a thing around ``path`` could not be read at all, so that what it holds is not known."""
        return any(path[:length] in self._unread for length in range(len(path)))

    def wrong_paths(self) -> frozenset[Path]:
        """The paths that have a mistake themselves."""
        return frozenset(self._wrong)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Each mistake once (an aliased node is read several times), in the order of the lines."""
        return tuple(sorted(dict.fromkeys(self._mistakes), key=lambda mistake: (mistake.line, mistake.column)))
