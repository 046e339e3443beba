"""Maps that share all but the change with those they came from: what a world of many things is made of.

An edit costs the same however much a map holds (a hash array mapped trie, of rpds). Order is made when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import compress
from operator import is_not
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from rpds import HashTrieMap, HashTrieSet

V = TypeVar("V")
K = TypeVar("K", bound=Hashable)
C = TypeVar("C", bound=Hashable)
U = TypeVar("U", bound=Hashable)


class Section(Mapping[str, V]):
    """Values by name, iterated in the order of the names; equal to any mapping with the same content."""

    __slots__ = ("_names", "_tree")

    def __init__(self, tree: HashTrieMap[str, V], names: tuple[str, ...] | None = None) -> None:
        self._tree, self._names = tree, names

    @classmethod
    def of(cls, values: Mapping[str, V]) -> Section[V]:
        """The same content; a section as it is."""
        return values if isinstance(values, Section) else cls(HashTrieMap(values))

    def edited(self, changes: Mapping[str, V | None]) -> Section[V]:
        """Some values replaced, added or, where None, gone."""
        tree, names = self._tree, self._names
        for name, value in changes.items():
            if (name in tree) is (value is None):
                names = None
            tree = tree.discard(name) if value is None else tree.insert(name, value)
        return Section(tree, names)

    def differing(self, other: Section[V]) -> Iterable[str]:
        """The names of which they do not have the same value, or only one has any; of many, in little time."""
        names = tuple(self)
        yield from compress(names, map(is_not, map(self._tree.get, names), map(other._tree.get, names)))
        if other._names is not self._names:
            yield from (name for name in other if name not in self._tree)

    def __getitem__(self, name: str) -> V:
        return self._tree[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, if it is there."""
        return self._tree.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._tree

    def __iter__(self) -> Iterator[str]:
        if self._names is None:
            self._names = tuple(sorted(self._tree))
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._tree)

    def __eq__(self, other: object) -> bool:
        return self._tree == other._tree if isinstance(other, Section) else super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # as of every mapping

    def __repr__(self) -> str:
        return f"Section({dict(self)})"


class Table(Protocol):
    """What is known of the things of a world as a whole; it follows an edit by the facts that came and went."""

    def changed(self, gone: Iterable[Any], come: Iterable[Any]) -> Table:
        """The table without some facts and with others."""


class Claims(Generic[K, U]):
    """Who has a key: seldom more than one, then in the order of their ranks."""

    __slots__ = ("_rank", "_tree")

    def __init__(self, tree: HashTrieMap[K, tuple[U, ...]], rank: Callable[[U], tuple[object, ...]]) -> None:
        self._tree, self._rank = tree, rank

    @classmethod
    def of(cls, facts: Iterable[tuple[K, U]], rank: Callable[[U], tuple[object, ...]]) -> Claims[K, U]:
        """Claims of pairs of key and claimant."""
        held: dict[K, tuple[U, ...]] = {}
        for key, user in facts:
            held[key] = _with(held[key], user, rank) if key in held else (user,)
        return cls(HashTrieMap(held), rank)

    def __getitem__(self, key: K) -> tuple[U, ...]:
        return self._tree.get(key, ())

    def contested(self, keys: Iterable[K]) -> Iterator[U]:
        """The claimants of those of some keys that several have."""
        tree = self._tree
        return (user for key in keys for held in (tree.get(key, ()),) if len(held) > 1 for user in held)

    def changed(self, gone: Iterable[tuple[K, U]], come: Iterable[tuple[K, U]]) -> Claims[K, U]:
        """The claims without some pairs and with others."""
        tree = self._tree
        for key, user in gone:
            left = tuple(it for it in tree[key] if it != user)
            tree = tree.insert(key, left) if left else tree.remove(key)
        held: dict[K, tuple[U, ...]] = {}
        for key, user in come:
            known = held.get(key) or tree.get(key)
            held[key] = _with(known, user, self._rank) if known else (user,)
        return Claims(tree.update(held), self._rank)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Claims) and self._tree == other._tree

    __hash__ = None  # type: ignore[assignment]


def _with(held: tuple[U, ...], user: U, rank: Callable[[U], tuple[object, ...]]) -> tuple[U, ...]:
    return held if user in held else tuple(sorted((*held, user), key=rank))


class Uses(Generic[K, C, U]):
    """Who uses a thing, sorted by kind: users of one kind fare alike, so that one may stand for them all."""

    __slots__ = ("_tree",)

    def __init__(self, tree: HashTrieMap[K, HashTrieMap[C, HashTrieSet[U]]]) -> None:
        self._tree = tree

    @classmethod
    def of(cls, facts: Iterable[tuple[K, C, U]]) -> Uses[K, C, U]:
        """Uses of triples: what is used, in which way, and by whom."""
        held: dict[K, dict[C, set[U]]] = {}
        for key, kind, user in facts:
            held.setdefault(key, {}).setdefault(kind, set()).add(user)
        return cls(
            HashTrieMap(
                {key: HashTrieMap({kind: HashTrieSet(it) for kind, it in kinds.items()}) for key, kinds in held.items()}
            )
        )

    def kinds(self, key: K) -> Mapping[C, frozenset[U]]:
        """The users of a thing, by kind."""
        return self._tree.get(key) or {}

    def users(self, key: K, kind: C) -> frozenset[U]:
        """The users of a thing of one kind."""
        return self.kinds(key).get(kind) or frozenset()

    def one_of_each(self, key: K) -> Iterator[U]:
        """A user of each kind."""
        return (next(iter(users)) for users in self.kinds(key).values())

    def changed(self, gone: Iterable[tuple[K, C, U]], come: Iterable[tuple[K, C, U]]) -> Uses[K, C, U]:
        """The uses without some triples and with others."""
        tree = self._tree
        for key, kind, user in gone:
            kinds = tree[key]
            users = kinds[kind].remove(user)
            kinds = kinds.insert(kind, users) if users else kinds.remove(kind)
            tree = tree.insert(key, kinds) if kinds else tree.remove(key)
        for key, kind, user in come:
            kinds = tree.get(key) or HashTrieMap()
            tree = tree.insert(key, kinds.insert(kind, (kinds.get(kind) or HashTrieSet()).insert(user)))
        return Uses(tree)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Uses) and self._tree == other._tree

    __hash__ = None  # type: ignore[assignment]


class Size(NamedTuple):
    """How many members a group has, counted in three ways."""

    instances: int = 0
    addresses: int = 0
    ports: int = 0

    def plus(self, other: Size, times: int = 1) -> Size:
        """The sum of two, or with ``times`` -1 their difference."""
        return Size(*(own + times * more for own, more in zip(self, other, strict=True)))


class Sizes:
    """Sums of what each member adds, by group."""

    __slots__ = ("_tree",)

    def __init__(self, tree: HashTrieMap[str, Size]) -> None:
        self._tree = tree

    @classmethod
    def of(cls, facts: Iterable[tuple[str, str, Size]]) -> Sizes:
        """Sizes of triples: group, member, and what it adds."""
        held: dict[str, Size] = {}
        for group, _, more in facts:
            held[group] = held.get(group, Size()).plus(more)
        return cls(HashTrieMap(held))

    def __getitem__(self, group: str) -> Size:
        return self._tree.get(group) or Size()

    def changed(self, gone: Iterable[tuple[str, str, Size]], come: Iterable[tuple[str, str, Size]]) -> Sizes:
        """The sizes without some members and with others."""
        tree = self._tree
        for facts, times in ((gone, -1), (come, 1)):
            for group, _, more in facts:
                size = (tree.get(group) or Size()).plus(more, times)
                tree = tree.insert(group, size) if any(size) else tree.discard(group)
        return Sizes(tree)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sizes) and self._tree == other._tree

    __hash__ = None  # type: ignore[assignment]
