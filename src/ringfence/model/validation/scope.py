"""What a change can have broken: the things to judge, found from those that it touched, not from the whole world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from ringfence.model.facts import LINE_SECTIONS, LineOwner, Member, owner_rank, peering_rank
from ringfence.model.flow import Expectation
from ringfence.model.group import SecurityGroup
from ringfence.model.lazy import lazy
from ringfence.model.profile import Profile
from ringfence.model.topology import DetachedPort, Instance, OutsideHost, Peering, Port, VirtualIp
from ringfence.model.validation.problem import Touched
from ringfence.model.validation.quotas import group_cost
from ringfence.model.world import SECTIONS, World


def everything(world: World) -> Touched:
    """All that a world holds: who touched it may have broken anything."""
    return Touched(**{name: getattr(world, name).keys() for name in SECTIONS}, expects=True)


class Scope:
    """The things of a world to judge after a change of some, each section in order.

    Of many that fare alike, a change of something that they name leads to one: the members of a group whose ports
    agree in their groups, and the groups that name a group and agree in what decides whether they may.
    """

    def __init__(self, world: World, touched: Touched) -> None:
        self.world, self.touched = world, touched
        self.sound_memberships: set[tuple[str, str]] = set()
        """VPCs and groups whose ports were found to go together."""
        self._costs: dict[tuple[str, int], int] = {}

    def cost_of(self, group: SecurityGroup, profile: Profile) -> int:
        """How many rules a group counts as; it is asked for each port."""
        key = group.name, id(profile)
        if key not in self._costs:
            self._costs[key] = group_cost(group, profile, self.world)
        return self._costs[key]

    def _naming(self, target: str, names: Iterable[str], section: str) -> set[str]:
        """The things of a section that name any of some others."""
        naming = self.world.naming
        return {user for name in names for user in naming.users((target, name), section)}

    def _there(self, section: str, names: Set[str]) -> list[str]:
        known = getattr(self.world, section)
        return sorted(name for name in names if name in known)

    def _with_naming(self, section: str, *targets: str) -> list[str]:
        """Those touched in a section, and those in it that name something touched in others."""
        names: set[str] = {*getattr(self.touched, section)}
        for target in targets:
            names |= self._naming(target, getattr(self.touched, target), section)
        return self._there(section, names)

    @lazy
    def vpcs(self) -> list[str]:
        """VPCs whose lines and subnets' ACLs are to be judged; their prefixes only where they are touched."""
        return self._with_naming("vpcs", "acls", "address_groups")

    @lazy
    def filled_vpcs(self) -> list[str]:
        """VPCs that may hold more than they may."""
        acls = (self.world.acls.get(name) for name in self.touched.acls)
        return self._there("vpcs", {acl.vpc for acl in acls if acl}.union(self.touched.vpcs))

    @lazy
    def peerings(self) -> list[str]:
        """Peerings to judge."""
        return self._with_naming("peerings", "vpcs", "address_groups")

    @property
    def all_of_pairs(self) -> list[Peering]:
        """Those peerings, and others that join the same VPCs."""
        found = {way for name in self.peerings for way in self.world.ways[self.world.peerings[name].vpcs]}
        return sorted(found, key=peering_rank)

    @lazy
    def hubs(self) -> list[str]:
        """VPCs from where two ways may lead to one address."""
        there = (self.world.peerings.get(name) for name in self.touched.peerings)
        ends = {vpc for peering in there if peering for vpc in peering.vpcs}
        return self._there("vpcs", ends | {peer for vpc in self.touched.vpcs for peer in self.world.peers_of(vpc)})

    @lazy
    def address_groups(self) -> list[str]:
        """Address groups to judge."""
        return self._there("address_groups", self.touched.address_groups)

    @lazy
    def port_lists(self) -> list[str]:
        """Port lists to judge."""
        return self._there("port_lists", self.touched.port_lists)

    @lazy
    def acls(self) -> list[str]:
        """ACLs to judge."""
        return self._with_naming("acls", "vpcs", "address_groups")

    @lazy
    def _changed_groups(self) -> set[str]:
        """Groups that may look different to the groups that name them; some are gone."""
        return self._naming("vpcs", self.touched.vpcs, "groups").union(self.touched.groups)

    @lazy
    def _costing_groups(self) -> set[str]:
        """Groups with rules that may cost something else or mean nothing."""
        found = self._naming("address_groups", self.touched.address_groups, "groups")
        return found | self._naming("port_lists", self.touched.port_lists, "groups")

    @lazy
    def groups(self) -> list[str]:
        """Groups to judge."""
        return self._there("groups", self._changed_groups | self._costing_groups)

    @lazy
    def new_rules(self) -> dict[str, Set[str]]:
        """The new rules of more groups, to judge by those and by what they come to with the old ones."""
        touched = self.touched.rules
        return {name: touched[name] for name in self._there("groups", touched.keys() - {*self.groups}) if touched[name]}

    @lazy
    def tied_groups(self) -> list[str]:
        """More groups, to judge by the groups that they name alone."""
        tied = {other for name in self._changed_groups for other in self.world.ties.one_of_each(name)}
        return self._there("groups", tied.difference(self.groups))

    @lazy
    def sized_groups(self) -> list[str]:
        """Groups that may have more members than they may have."""
        joined = {
            name for instance in self._values(self.touched.instances) for it in instance.ports for name in it.groups
        }
        spare = (self.world.detached[name] for name in self._there("detached", self.touched.detached))
        joined.update(name for it in spare for name in it.port.groups)
        return self._there("groups", self._changed_groups | joined)

    def _values(self, names: Iterable[str]) -> list[Instance]:
        return [it for name in names if (it := self.world.instances.get(name))]

    @lazy
    def instances(self) -> list[Instance]:
        """Instances to judge."""
        names = self._naming("vpcs", self.touched.vpcs, "instances").union(self.touched.instances)
        return self._values(sorted(names))

    @lazy
    def ports(self) -> list[Port]:
        """Ports whose subnet and groups are to be judged."""
        return self._attached(self._members)

    @lazy
    def detached(self) -> list[DetachedPort]:
        """Ports of no instance, to judge in the same way."""
        return self._spare(self._members)

    @lazy
    def _changed_detached(self) -> list[DetachedPort]:
        names = self._with_naming("detached", "vpcs")
        return [self.world.detached[name] for name in names]

    @property
    def hanging(self) -> list[DetachedPort]:
        """Ports of no instance to judge by what they hang off, with all that hang off the same."""
        own = self._there("detached", self.touched.detached)
        parents = {self.world.detached[name].port.parent for name in own}.union(self.touched.detached)
        names = self._naming("detached", parents, "detached").union(own)
        return [self.world.detached[name] for name in sorted(names)]

    @lazy
    def _members(self) -> set[Member]:
        chosen = {(instance.name, port.name) for instance in self.instances for port in instance.ports}
        chosen.update(("", it.name) for it in self._changed_detached)
        for name in self._changed_groups:
            chosen.update(self.world.members.one_of_each(name))
        for name in self._costing_groups - self._changed_groups:
            for kind, members in self.world.members.kinds(name).items():
                profile = self.world.profile_in(kind.vpc, kind.account)
                if profile.address_group_costs_entries or profile.port_list_costs_entries:
                    chosen.add(next(iter(members)))
        return chosen

    @property
    def laden_ports(self) -> list[Port]:
        """More ports, to judge by how many rules they have."""
        return self._attached(self._laden)

    @property
    def laden_detached(self) -> list[DetachedPort]:
        """More ports of no instance, to judge by the same."""
        return self._spare(self._laden)

    @lazy
    def _laden(self) -> set[Member]:
        return {member for name in self.new_rules for member in self.world.members.one_of_each(name)}

    def _attached(self, members: Iterable[Member]) -> list[Port]:
        return [self.world.instances[instance].by_name[port] for instance, port in sorted(members) if instance]

    def _spare(self, members: Iterable[Member]) -> list[DetachedPort]:
        return [self.world.detached[port] for instance, port in sorted(members) if not instance]

    @lazy
    def owners(self) -> list[Port | VirtualIp | DetachedPort]:
        """Ports and virtual IPs to judge by their addresses, and whoever has one of those as well."""
        names = self._naming("vpcs", self.touched.vpcs, "virtual_ips").union(self.touched.virtual_ips)
        vips = (self.world.virtual_ips[name] for name in self._there("virtual_ips", names))
        ports = (port for instance in self.instances for port in instance.ports)
        found: list[Port | VirtualIp | DetachedPort] = [*ports, *vips, *self._changed_detached]
        claimed = {owner for it in found for at in it.addresses for owner in self.world.places[it.vpc, at]}
        return sorted((it for it in claimed if not isinstance(it, OutsideHost)), key=owner_rank)

    @lazy
    def virtual_ips(self) -> list[str]:
        """Virtual IPs to judge, by their ports and names."""
        found = self._with_naming("virtual_ips", "vpcs", "instances")
        names = {*found, *self.touched.instances, *self.touched.outside}
        return self._there("virtual_ips", names)

    @lazy
    def outside(self) -> list[str]:
        """Outside hosts to judge: touched, of a touched instance's name, or with a touched host's address."""
        hosts = (self.world.outside[name] for name in self._there("outside", self.touched.outside))
        same = {owner.name for host in hosts for it in host.addresses for owner in self.world.places["", it]}
        return self._there("outside", same.union(self.touched.outside, self.touched.instances))

    @property
    def accounts_with_first_outside(self) -> set[str]:
        """The accounts that may have had no outside host before the change."""
        before = {host.account for name, host in self.world.outside.items() if name not in self.touched.outside}
        return {host.account for host in self.world.outside.values()} - before

    @lazy
    def penalties(self) -> list[str]:
        """Penalties to judge."""
        return self._with_naming("penalties", "instances")

    @lazy
    def line_owners(self) -> list[LineOwner]:
        """Whose lines are touched."""
        sections = enumerate(LINE_SECTIONS)
        return [(at, name) for at, each in sections for name in self._there(each, getattr(self.touched, each))]

    @lazy
    def expectations(self) -> Iterator[tuple[int, Expectation]]:
        """Expectations to judge, with their places."""
        if self.touched.expects or not self.world.expects:
            return enumerate(self.world.expects)
        asked = {it for end in self._ends() for it in self.world.asked.users(end, "")}
        return ((at, it) for at, it in enumerate(self.world.expects) if it in asked) if asked else iter(())

    def _ends(self) -> set[str]:
        owners = (self.world.virtual_ips.get(name) for name in self.touched.virtual_ips)
        ports = (port for instance in self._values(self.touched.instances) for port in instance.ports)
        addresses = {str(it) for owner in (*owners, *ports) if owner for it in owner.addresses}
        return addresses.union(self.touched.instances, self.touched.virtual_ips, self.touched.outside)
