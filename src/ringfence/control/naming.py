"""What an account's things are called in its world file.

Ids become names, where a display name is fit to be one and no other thing of the account has it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from ringfence.errors import NotationError
from ringfence.model.names import check_name
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote, GroupRemote, parse_remote
from ringfence.model.topology import Subnet
from ringfence.resources.kind import SECTIONS, Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import SharedVpc

ENDS = (Kind.INSTANCE, Kind.VIRTUAL_IP, Kind.OUTSIDE_HOST)
Names = Mapping[str, Mapping[str, str]]
_WORD = re.compile(r"(?P<group>(?:\b(?<!address )group |\bmembers of )(?:[\w.-]+/)?)?(?P<word>[\w.-]+)")
"""A word, and whether it is said of it that it is a security group."""
_LAST = ("address_groups", "port_lists")
"""What a rule names without saying its kind."""


@dataclass(frozen=True)
class Naming:
    """What the things of an account are called in its world file."""

    state: State
    account: str

    @cached_property
    def names(self) -> Names:
        """Names by ids as `renamed` wants them: those that are not the id itself."""
        own = {kind: self.state.owned(self.account, kind) for kind in (*SECTIONS, Kind.SUBNET)}
        found: dict[str, dict[str, str]] = {section: {} for section in (*SECTIONS.values(), "subnets")}
        for kind in SECTIONS.keys() - set(ENDS):
            found[SECTIONS[kind]] = _names(own[kind], self._others(kind))
        for end, id_, name in _together(own):
            found[SECTIONS[end]][id_] = name
        within: dict[str, list[Resource]] = {}
        for subnet in own[Kind.SUBNET]:
            within.setdefault(_vpc_of(subnet), []).append(subnet)
        for vpc, subnets in within.items():
            found["subnets"] |= {f"{vpc}/{id_}": name for id_, name in _names(subnets, ()).items()}
        return found

    def _others(self, kind: Kind) -> set[str]:
        """The ids of other accounts' things that the account may speak of."""
        if kind is Kind.VPC:
            return {it.id for it in shared_vpcs(self.state, self.account)}
        if kind is Kind.GROUP:
            return {remote.name for remote in foreign_remotes(self.state, self.account)}
        return set()

    @cached_property
    def ids(self) -> Mapping[str, Mapping[str, str]]:
        """Ids by names, by section; subnets by ``vpc id/name``."""
        found: dict[str, dict[str, str]] = {}
        for kind, section in SECTIONS.items():
            own = (it.id for it in self.state.owned(self.account, kind))
            found[section] = {self.called(section, id_): id_ for id_ in own}
        subnets = self.state.owned(self.account, Kind.SUBNET)
        found["subnets"] = {f"{_vpc_of(it)}/{self.subnet(_vpc_of(it), it.id)}": it.id for it in subnets}
        return found

    def called(self, section: str, id_: str) -> str:
        """The name of a thing of a section."""
        return self.names[section].get(id_, id_)

    def subnet(self, vpc: str, id_: str) -> str:
        """The name of a subnet, within its VPC."""
        return self.names["subnets"].get(f"{vpc}/{id_}", id_)

    def port(self, name: str) -> str:
        """``instance.port`` with the instance's name in place of its id."""
        instance, dot, port = name.partition(".")
        return self.called("instances", instance) + dot + port

    def words(self, text: str, before: Naming | None = None) -> str:
        """A line with names in place of ids, but in what is quoted; ``before`` knows those of what is gone."""
        said, quote, rest = text.partition('"')
        known = (self, before) if before else (self,)
        named = _WORD.sub(lambda word: next(filter(None, (it._word(word) for it in known)), word[0]), said)
        return named + quote + rest

    def _word(self, found: re.Match[str]) -> str:
        """What a word is in names; nothing if it means none of the account's things."""
        word = found["word"]
        if found["group"]:
            name = self._all["groups"].get(word)
            return found["group"] + name if name else ""
        instance, _, port = word.partition(".")
        if word in self._by_id or not port:
            return self._by_id.get(word, "")
        return self.port(word) if instance in self._all["instances"] else ""

    @cached_property
    def _all(self) -> Names:
        """Every name by its id, also where it is the id."""
        return {section: {id_: name for name, id_ in pairs.items()} for section, pairs in self.ids.items()}

    @cached_property
    def _by_id(self) -> Mapping[str, str]:
        """All names by ids; where things of several kinds have an id, what a rule may mean by it comes first."""
        found = {id_.partition("/")[2]: name for id_, name in self.names["subnets"].items()}
        for section in sorted(SECTIONS.values(), key=lambda it: (it == "groups", it in _LAST)):
            found |= self._all[section]
        return found


def foreign_remotes(state: State, account: str) -> Iterator[GroupRemote]:
    """The groups of other accounts that the rules of an account name."""
    for group in state.owned(account, Kind.GROUP):
        for rule in state.world.groups[group.id].rules:
            if isinstance(rule.remote, GroupRemote) and rule.remote.account not in ("", account):
                yield rule.remote


def shared_vpcs(state: State, account: str) -> list[Resource]:
    """The VPCs of others that the account may have groups and ports in."""
    return [it for it in state.of_kind(Kind.VPC) if account in cast("SharedVpc", it.value).shared_with]


def _vpc_of(subnet: Resource) -> str:
    return subnet.value.vpc if isinstance(subnet.value, Subnet) else ""


def _names(resources: Iterable[Resource], others: Iterable[str]) -> dict[str, str]:
    """Names by ids, of resources of one kind, where they differ; ``others`` are taken already."""
    wanted = {(it.kind, it.id): it.name if _fits(it) else it.id for it in resources}
    return {id_: name for (_, id_), name in _apart(wanted, others).items() if name != id_}


def _together(own: Mapping[Kind, Iterable[Resource]]) -> Iterator[tuple[Kind, str, str]]:
    """The same of the kinds that share their names."""
    wanted = {(it.kind, it.id): it.name if _fits(it) else it.id for kind in ENDS for it in own[kind]}
    for (kind, id_), name in _apart(wanted, ()).items():
        if name != id_:
            yield kind, id_, name


def _apart(wanted: dict[tuple[Kind, str], str], others: Iterable[str]) -> dict[tuple[Kind, str], str]:
    """With the id in place of each name that is not one thing's alone."""
    taken = set(others)
    while True:
        times = Counter(wanted.values())
        clashing = [key for key, name in wanted.items() if (times[name] > 1 or name in taken) and name != key[1]]
        if not clashing:
            return wanted
        wanted = wanted | {key: key[1] for key in clashing}


def _fits(resource: Resource) -> bool:
    if resource.name == resource.id:
        return True
    try:
        check_name(resource.name, dots=resource.kind not in ENDS)
        if resource.kind is Kind.PORT_LIST:
            NamedPorts(resource.name)
        return resource.kind is not Kind.ADDRESS_GROUP or isinstance(parse_remote(resource.name), AddressGroupRemote)
    except NotationError:
        return False
