"""What some changes of resources are to those who enforce: single edits, where they are no more than that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast

from ringfence.model.edit import Edit, EntriesChanged, GroupChanged, PortChanged, PortListChanged
from ringfence.model.group import AddressGroup
from ringfence.model.port_list import PortList
from ringfence.resources.kind import ACL_PARTS, IDENTITY, Kind
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.state import State
from ringfence.resources.values import Listing, Machine, PortAt, RuleOf

_SAY_NOTHING = IDENTITY | ACL_PARTS | {Kind.QUOTA, Kind.EXPECTATION}


class _Whole(Exception):
    """It is more than single edits."""


def edits_of(before: State, after: State, changes: Iterable[ResourceChange]) -> tuple[Edit, ...] | None:
    """The edits that lead from one state's world to the other's, the second being the first with the changes made.

    Only things that are there before and after; None if more than that has changed, so that the whole has to be looked
    at. Nothing at all where nothing has changed that is enforced.
    """
    try:
        return tuple(_edits(before, after, tuple(changes)))
    except _Whole:
        return None


def _edits(before: State, after: State, changes: tuple[ResourceChange, ...]) -> Iterator[Edit]:
    for _, new in changes:  # before the rules that may name it
        if new and new.kind is Kind.PORT_LIST:
            yield from _ports(before.world.port_lists.get(new.id), after.world.port_lists[new.id])
    groups = {name for change in changes for name in _groups(change)}
    for name in sorted(groups):
        if name not in before.world.groups or name not in after.world.groups:
            raise _Whole
        yield GroupChanged(after.world.groups[name])
    for old, new in changes:
        if _is_detached(old) and _is_detached(new):
            continue
        if old and new and old.kind is Kind.PORT:
            yield from _port(cast("PortAt", old.value), cast("PortAt", new.value))
        elif old and new and old.kind is Kind.ADDRESS_GROUP:
            yield from _entries(*(cast("AddressGroup", cast("Listing", each.value).listed) for each in (old, new)))
        elif not _is_silent(ResourceChange(old, new)):
            raise _Whole


def _groups(change: ResourceChange) -> Iterator[str]:
    """The groups that a change of a group or of a rule touches, as far as it says anything to a packet."""
    if change.key.kind is Kind.RULE:
        yield from {cast("RuleOf", each.value).group for each in change if each}
    elif change.key.kind is Kind.GROUP and not _says_the_same(change):
        yield change.key.id


def _is_silent(change: ResourceChange) -> bool:
    # What a port list says that is gone nobody asks any more.
    return change.key.kind in (_SAY_NOTHING | {Kind.RULE, Kind.GROUP, Kind.PORT_LIST}) or _says_the_same(change)


def _says_the_same(change: ResourceChange) -> bool:
    """Whether only what it is called has changed."""
    old, new = change
    return bool(old and new and _enforced(old) == _enforced(new))


def _enforced(resource: Resource) -> object:
    """What of a resource a packet may meet."""
    value = resource.value
    return value.serve if isinstance(value, Machine) else value


def _is_detached(resource: Resource | None) -> bool:
    """Whether no packet meets it: a port of no instance, or nothing."""
    return resource is None or (isinstance(resource.value, PortAt) and not resource.value.port.instance)


def _ports(old: PortList | None, new: PortList) -> Iterator[Edit]:
    if old is None or old.ports != new.ports:
        yield PortListChanged(new)


def _port(old: PortAt, new: PortAt) -> Iterator[Edit]:
    if replace(new.port, groups=old.port.groups) != old.port:
        raise _Whole
    if new.port.groups != old.port.groups:
        yield PortChanged(new.port)


def _entries(old: AddressGroup, new: AddressGroup) -> Iterator[Edit]:
    added, removed = set(new.entries) - set(old.entries), set(old.entries) - set(new.entries)
    if added or removed:
        yield EntriesChanged(new.name, tuple(sorted(added)), tuple(sorted(removed)))
