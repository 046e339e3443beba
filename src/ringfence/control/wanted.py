"""What a world file wants an account to have: as an export says it, and with ids in place of names.

What is there under a name keeps its id; what is new, or takes another thing's place, gets one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.control.exporting import own_acl, own_group, own_vpc, plain_lines
from ringfence.control.ids import new_id
from ringfence.control.naming import Naming, shared_vpcs
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.model.group import SecurityGroup
from ringfence.model.renaming import renamed
from ringfence.model.world import World, by_name
from ringfence.resources.kind import SECTIONS, Kind
from ringfence.resources.naming import Key
from ringfence.resources.state import State

_FIXED: Mapping[str, tuple[str, ...]] = {
    "groups": ("vpc", "profile", "type", "managed"),
    "acls": ("vpc",),
    "peerings": ("vpcs",),
    "address_groups": ("max_entries",),
    "port_lists": ("max_entries",),
    "virtual_ips": ("vpc", "subnet"),
}
"""What cannot be changed of a thing: another one takes its place, and its name."""


@dataclass(frozen=True)
class Wanted:
    """What a caller's file says (``said``), against a state."""

    state: State
    caller: Caller
    said: World
    _made: set[Key] = field(default_factory=set)
    """What got an id so far: two subnets of two VPCs may have one name."""

    @cached_property
    def naming(self) -> Naming:
        """What the account's things are called."""
        return Naming(self.state, self.caller.account)

    @cached_property
    def world(self) -> World:
        """What is wanted, as an export says it."""
        said, account = self.said, self.caller.account
        for instance in said.instances.values():
            if instance.account not in ("", account):
                what = f"instance {instance} belongs to account {instance.account}"
                raise wrong(f"instances.{instance}.account", what, "leave it out of this file", instance.account)
        return replace(
            said,
            vpcs=by_name(map(own_vpc, said.vpcs.values())),
            groups=by_name(self._group(group) for group in said.groups.values()),
            acls=by_name(map(own_acl, said.acls.values())),
            peerings=by_name(replace(it, firewall=plain_lines(it.firewall)) for it in said.peerings.values()),
        )

    def _group(self, group: SecurityGroup) -> SecurityGroup:
        account = self.caller.account
        return own_group(group, account) if group.account in ("", account) else replace(group, rules=())

    @cached_property
    def _foreign(self) -> Mapping[str, set[str]]:
        """Names in the file that are ids of other accounts' things."""
        own = self.naming.ids["vpcs"]
        shared = {it.id for it in shared_vpcs(self.state, self.caller.account)} - own.keys()
        groups = {it.name for it in self.world.groups.values() if it.account}
        for name in sorted(groups):
            found, account = self.state.get(Kind.GROUP, name), self.world.groups[name].account
            if found is None or found.account != account:
                what = f"account {account} has no group {name!r}"
                raise wrong(f"groups.{name}", what, "give the id of the group", name, "InvalidSourceGroupId.NotFound")
        return {"vpcs": shared & self.world.vpcs.keys(), "groups": groups}

    def is_foreign(self, section: str, name: str) -> bool:
        """Whether a name in the file is the id of another account's thing."""
        return name in self._foreign.get(section, ())

    @cached_property
    def ids(self) -> Mapping[str, dict[str, str]]:
        """Ids by names, by section; subnets by ``vpc name/name``."""
        found: dict[str, dict[str, str]] = {}
        for kind, section in SECTIONS.items():
            found[section] = {name: self._id(kind, name) for name in getattr(self.world, section)}
        found["subnets"] = {}
        for vpc in self.world.vpcs.values():
            for name in vpc.subnets:
                known = self.naming.ids["subnets"].get(f"{found['vpcs'][vpc.name]}/{name}")
                made = name if self.is_foreign("vpcs", vpc.name) else known or self.new_id(Kind.SUBNET, name)
                found["subnets"][f"{vpc.name}/{name}"] = made
        return found

    def _id(self, kind: Kind, name: str) -> str:
        section = SECTIONS[kind]
        if self.is_foreign(section, name):
            return name
        known = self.naming.ids[section].get(name)
        return known if known and not self._is_replaced(section, name, known) else self.new_id(kind, name)

    def _is_replaced(self, section: str, name: str, id_: str) -> bool:
        """Whether what there is under a name cannot become what is wanted."""
        old, new = getattr(self.state.world, section).get(id_), getattr(self.world, section)[name]
        return old is not None and any(self._fixed(old, it) != getattr(new, it) for it in _FIXED.get(section, ()))

    def _fixed(self, old: Any, what: str) -> object:
        """Something of a thing that is there, in names."""
        value = getattr(old, what)
        match what:
            case "vpc":
                return self.naming.called("vpcs", value)
            case "vpcs":
                return tuple(sorted(self.naming.called("vpcs", vpc) for vpc in value))
            case "subnet":
                return self.naming.subnet(old.vpc, value)
        return value

    def new_id(self, kind: Kind, name: str) -> str:
        """An id that nobody has."""
        style, speaking = self.caller.ids, self.caller.account == OPERATOR
        made = new_id(kind, name, style=style, speaking=speaking, taken=lambda id_: self._is_taken(Key(kind, id_)))
        self._made.add(Key(kind, made))
        return made

    def _is_taken(self, key: Key) -> bool:
        return key in self.state.resources or key in self._made

    @cached_property
    def in_ids(self) -> World:
        """The same in ids."""
        return renamed(self.world, self.ids)


def wrong(field: str, what: str, right: str, value: object, code: str = "input.field") -> InvalidFields:
    """The refusal of one part of a file."""
    return InvalidFields((FieldProblem(field, what, right, code, value),))
