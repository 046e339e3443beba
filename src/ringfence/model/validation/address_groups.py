"""Address groups (prefix lists): their entries, their size, and the rules and lines that name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ringfence.model.address import Family
from ringfence.model.group import AddressGroup
from ringfence.model.port_list import PortList
from ringfence.model.profile import PROFILES, Profile
from ringfence.model.rule import AddressGroupRemote, Remote
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World, nearest


def address_group_problems(scope: Scope) -> Iterator[Problem]:
    """Address groups of two families, entries listed twice or of a kind that the profile lacks, too many of them.

    No VPC has an address group to itself, so the world's profile holds.
    """
    for group in map(scope.world.address_groups.__getitem__, scope.address_groups):
        profile = scope.world.profile_in("", group.account)
        yield from _entry_problems(group, profile)
        yield from size_problems(scope.world, ("address_groups", group.name), group, "limit.address_group_entries")


def _entry_problems(group: AddressGroup, profile: Profile) -> Iterator[Problem]:
    path: Path = ("address_groups", group.name)
    if len({entry.family for entry in group.entries}) > 1:
        what = f"address group {group.name} mixes IPv4 and IPv6"
        yield Problem(path, "world.mixed_family", what, "make one group a family")
    for entry, count in Counter(group.entries).items():
        if count > 1:
            what = f"address group {group.name} lists {entry} {count} times"
            yield Problem(path, "world.duplicate", what, "list it once")
        if entry.prefix is None and not profile.address_group_ranges:
            what = f"address group {group.name} lists {entry}, and the {profile.name} profile takes prefixes only"
            yield Problem(path, "world.address_range", what, "write the prefixes that make up the range")


def size_problems(world: World, path: Path, it: AddressGroup | PortList, code: str) -> Iterator[Problem]:
    """A list with more entries than its own bound or the limit of ``code`` allows, or with a bound beyond that.

    As no VPC says which cloud's a list is, a bound may be what any of them takes, unless the operator or the settings
    say how many entries there may be.
    """
    profile, limit = world.profile_in("", it.account), code.removeprefix("limit.")
    words, bound = "address group" if isinstance(it, AddressGroup) else "port list", it.max_entries
    most: int = getattr(profile, limit)
    said = any(limit in world.limits.get(account, ()) for account in ("*", it.account))
    if bound is not None and not said and most == getattr(PROFILES[profile.name], limit):
        most = max(getattr(each, limit) for each in PROFILES.values())
    if bound is not None and not 1 <= bound <= most:
        what = f"{words} {it.name} may have {bound} entries, {profile.name} allows 1 to {most}"
        yield Problem((*path, "max_entries"), code, what, f"write max_entries: {most} or fewer")
    elif len(it.entries) > (allowed := most if bound is None else bound):
        whose = f"{profile.name} allows" if bound is None else "its max_entries is"
        what = f"{words} {it.name} has {len(it.entries)} entries, {whose} {allowed}"
        yield Problem(path, code, what, f"spread them over several {words}s")


def named_list_problems(world: World, path: Path, families: tuple[Family, ...], *sides: Remote) -> Iterator[Problem]:
    """Address groups that the sides of a rule name: those that are not there, or hold nothing that it can match.

    ``families`` are those in which the rule can match whatever the address groups hold.
    """
    for side in sides:
        if not isinstance(side, AddressGroupRemote):
            continue
        found = world.address_groups.get(side.name)
        if found is None:
            hint = (
                f"write 'group {side.name}'" if side.name in world.groups else nearest(side.name, world.address_groups)
            )
            yield Problem(path, "InvalidPrefixListId.NotFound", f"there is no address group {side.name!r}", hint)
        elif found.entries:
            fitting = tuple(family for family in families if found.of_family(family))
            if not fitting:
                words = " and ".join(map(str, families))
                yield Problem(
                    path,
                    "InvalidParam.PrefixListAddressFamilyMismatch",
                    f"the rule can match {words} only, and address group {side.name} holds none of it",
                    "name an address group of that family",
                )
            families = fitting or families
