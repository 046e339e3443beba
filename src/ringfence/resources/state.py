"""The state of the service at one revision: all resources, who refers to whom, and the World that they make.

A state never changes. The next one shares all that a change does not touch, so it costs what the change costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rpds import HashTrieMap, HashTrieSet

from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.worlds import world_after

_NOBODY: HashTrieSet[Any] = HashTrieSet()
_Index: TypeAlias = "HashTrieMap[Any, HashTrieSet[Any]]"


@dataclass(frozen=True)
class State:
    """All resources at one revision."""

    revision: int = 0
    world: World = field(default_factory=World)
    resources: HashTrieMap[Key, Resource] = field(default_factory=HashTrieMap)
    _referrers: HashTrieMap[Key, HashTrieSet[Key]] = field(default_factory=HashTrieMap)
    _owned: HashTrieMap[tuple[str, Kind], HashTrieSet[str]] = field(default_factory=HashTrieMap)
    _named: HashTrieMap[tuple[str, Kind, str], HashTrieSet[str]] = field(default_factory=HashTrieMap)

    @classmethod
    def of(cls, revision: int, resources: Iterable[Resource]) -> State:
        """The state that some resources make."""
        return cls().after(revision, [ResourceChange(None, each) for each in resources])

    def get(self, kind: Kind, id_: str) -> Resource | None:
        """A resource."""
        return self.resources.get(Key(kind, id_))

    def referrers(self, key: Key) -> list[Key]:
        """The resources that refer to one, in a fixed order."""
        return sorted(self._referrers.get(key, _NOBODY))

    def owned(self, account: str, kind: Kind) -> list[Resource]:
        """What an account has of a kind, by id."""
        return [self.resources[Key(kind, id_)] for id_ in sorted(self._owned.get((account, kind), _NOBODY))]

    def count(self, account: str, kind: Kind) -> int:
        """How many of a kind an account has."""
        return len(self._owned.get((account, kind), _NOBODY))

    def total(self, kind: Kind) -> int:
        """How many of a kind there are."""
        return sum(len(owned) for (_, each), owned in self._owned.items() if each is kind)

    def of_kind(self, kind: Kind) -> list[Resource]:
        """Everybody's resources of a kind, by id."""
        accounts = sorted(account for account, owned in self._owned if owned is kind)
        return sorted((each for account in accounts for each in self.owned(account, kind)), key=lambda each: each.id)

    def named(self, account: str, kind: Kind, name: str) -> list[Resource]:
        """What an account has of a kind by a name: names need not be unique."""
        return [self.resources[Key(kind, id_)] for id_ in sorted(self._named.get((account, kind, name), _NOBODY))]

    def members(self, group: str) -> list[Resource]:
        """The ports in a security group."""
        keys = self._referrers.get(Key(Kind.GROUP, group), _NOBODY)
        return [self.resources[key] for key in sorted(keys) if key.kind is Kind.PORT]

    def rules(self, group: str) -> list[Resource]:
        """The rules of a security group, by id."""
        found = self.world.groups.get(group)
        return [self.resources[Key(Kind.RULE, id_)] for id_ in found.by_id] if found else []

    def after(self, revision: int, changes: Iterable[ResourceChange]) -> State:
        """The next state. The changes must leave it consistent: see `ringfence.control`."""
        made = tuple(changes)
        gone, come = [each for each, _ in made if each], [each for _, each in made if each]
        resources = self.resources
        for each in gone:
            resources = resources.remove(each.key)
        resources = resources.update({each.key: each for each in come})
        referrers, owned, named = (
            _with(_without(index, map_of(gone)), map_of(come))
            for index, map_of in ((self._referrers, _references), (self._owned, _owners), (self._named, _names))
        )
        world = world_after(self.world, resources, lambda key: referrers.get(key, _NOBODY), made)
        return State(revision, world, resources, referrers, owned, named)


def _references(resources: Iterable[Resource]) -> dict[Key, list[Key]]:
    found: defaultdict[Key, list[Key]] = defaultdict(list)  # an index takes all of a key at once
    for each in resources:
        key = each.key
        for named in each.form.refers(each.value):
            if named != key:
                found[named].append(key)
    return found


def _owners(resources: Iterable[Resource]) -> dict[tuple[str, Kind], list[str]]:
    found: defaultdict[tuple[str, Kind], list[str]] = defaultdict(list)
    for each in resources:
        found[each.account, each.kind].append(each.id)
    return found


def _names(resources: Iterable[Resource]) -> dict[tuple[str, Kind, str], list[str]]:
    found: defaultdict[tuple[str, Kind, str], list[str]] = defaultdict(list)
    for each in resources:
        if each.name:
            found[each.account, each.kind, each.name].append(each.id)
    return found


def _with(index: _Index, come: Mapping[Any, Iterable[Any]]) -> _Index:
    for key, values in come.items():
        index = index.insert(key, index.get(key, _NOBODY).update(values))
    return index


def _without(index: _Index, gone: Mapping[Any, Iterable[Any]]) -> _Index:
    for key, values in gone.items():
        left = index[key]
        for value in values:
            left = left.discard(value)  # what refers to one thing in two ways is there once
        index = index.insert(key, left) if left else index.remove(key)
    return index
