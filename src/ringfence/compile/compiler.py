"""World to Plan, once for a whole world, and then change by change at the cost of the change alone.

::

    World --> classes --> decision lists --> boxes --> layers
                 |
                 +--> ports: name, addresses, class
                 +--> members: whom a rule means that names a group, in this VPC and in its peers

Ports with the same policy share a class. Everything expensive is per class, everything per port is one element.
"""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.compile.plan import (
    Plan,
    VpcChange,
    VpcPlan,
)
from ringfence.compile.prefixes import PrefixGroup
from ringfence.compile.roster import WholeChange
from ringfence.compile.vpc import VpcCompilation
from ringfence.model.edit import Edit, EntriesChanged, GroupChanged, PortChanged, PortListChanged
from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import PortList
from ringfence.model.rule import AddressGroupRemote
from ringfence.model.topology import Port
from ringfence.model.world import World


def compile_world(world: World) -> Plan:
    """Compile a valid world."""
    return Compilation(world).plan()


class Compilation:
    """A compiled world, ready to follow single edits.

    The edits must leave the world valid. `plan` of it always equals `compile_world` of the edited world.
    """

    def __init__(self, world: World) -> None:
        self._groups = dict(world.groups)
        self._port_lists = dict(world.port_lists)
        self._prefixes = {name: PrefixGroup(group.entries) for name, group in world.address_groups.items()}
        self._ports = dict(world.port_by_name)
        by_vpc: dict[str, dict[str, Port]] = {name: {} for name in world.vpcs}
        for name, port in self._ports.items():
            by_vpc[port.vpc][name] = port
        self._vpcs = {
            name: VpcCompilation(world, self._groups, self._port_lists, by_vpc, vpc) for name, vpc in world.vpcs.items()
        }
        self._naming: dict[str, set[str]] = {}  # groups, by the address groups that their rules name
        self._naming_ports: dict[str, set[str]] = {}  # the same by port lists
        for group in self._groups.values():
            self._index(group)

    def plan(self) -> Plan:
        """The whole plan as it is now."""
        return Plan({name: self.plan_of(name) for name in self._vpcs})

    def plan_of(self, vpc: str) -> VpcPlan:
        """The whole plan of one VPC as it is now."""
        return self._vpcs[vpc].plan(self._prefixes)

    def follow(self, edit: Edit) -> Mapping[str, VpcChange] | None:
        """Follow an edit; gives what it does to the plan of each VPC that it concerns.

        None if it touches more than can be followed: then make a new compilation of the edited world, for this one is
        of no use any more.
        """
        try:
            return {name: change for name, change in self._follow(edit).items() if change}
        except WholeChange:
            return None

    def concerned(self, edit: Edit) -> frozenset[str]:
        """The VPCs with ports that an edit is about, before it is followed; their plans may well stay as they are.

        It is about a port whose group gets other rules or members, or names an address group or port list with other
        entries. A change may cut the connections of such a port though no new connection is judged in another way.
        """
        if isinstance(edit, EntriesChanged):
            groups, named, home = self._naming.get(edit.address_group, set()), edit.address_group, ""
        elif isinstance(edit, PortListChanged):
            groups, named, home = self._naming_ports.get(edit.port_list.name, set()), "", ""
        elif isinstance(edit, GroupChanged):
            groups, named, home = {edit.group.name}, "", ""
        else:
            after = edit.port if isinstance(edit, PortChanged) else None
            ports = [port for port in (self._ports.get(str(edit.port)), after) if port]
            groups, named, home = {name for port in ports for name in port.groups}, "", ports[0].vpc if ports else ""
        return frozenset(name for name, vpc in self._vpcs.items() if name == home or vpc.is_concerned(groups, named))

    def _index(self, group: SecurityGroup) -> None:
        for rule in group.rules:
            if isinstance(rule.remote, AddressGroupRemote):
                self._naming.setdefault(rule.remote.name, set()).add(group.name)
        for name in group.port_lists:
            self._naming_ports.setdefault(name, set()).add(group.name)

    def _follow(self, edit: Edit) -> Mapping[str, VpcChange]:
        if isinstance(edit, GroupChanged):
            return self._change_group(edit.group)
        if isinstance(edit, EntriesChanged):
            return self._change_entries(edit)
        if isinstance(edit, PortListChanged):
            return self._change_ports(edit.port_list)
        if isinstance(edit, PortChanged):
            return self._change_port(str(edit.port), edit.port)
        return self._change_port(edit.port, None)

    def _change_group(self, after: SecurityGroup) -> dict[str, VpcChange]:
        before = self._groups.get(after.name)
        if before is None or before.ftp_helper is not after.ftp_helper:
            raise WholeChange
        self._index(after)  # what it no longer names does no harm: see `concerned`
        return {name: vpc.change_group(before, after, self._prefixes) for name, vpc in self._vpcs.items()}

    def _change_entries(self, edit: EntriesChanged) -> dict[str, VpcChange]:
        group = self._prefixes[edit.address_group]
        before = group.lengths
        entries = group.change(edit.added, edit.removed)
        again = before != group.lengths
        return {
            name: vpc.change_entries(edit.address_group, entries, self._prefixes, again=again)
            for name, vpc in self._vpcs.items()
        }

    def _change_ports(self, after: PortList) -> dict[str, VpcChange]:
        self._port_lists[after.name] = after
        groups = self._naming_ports.get(after.name, set())
        return {name: vpc.change_ports(groups, self._prefixes) for name, vpc in self._vpcs.items()}

    def _change_port(self, name: str, after: Port | None) -> dict[str, VpcChange]:
        before = self._ports.pop(name, None)
        if after:
            self._ports[name] = after
        if before and after and before.vpc != after.vpc:
            raise WholeChange
        known = after or before
        home = known.vpc if known else ""
        return {each: vpc.change_port(name, after, home, self._prefixes) for each, vpc in self._vpcs.items()}
