"""From what was read to a world in ids: what is missing is made up, what says nothing new is merged, all of it told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ringfence.importing.draft import Draft
from ringfence.importing.drafted import AclDraft, GroupDraft, InterfaceDraft, ListDraft, VpcDraft
from ringfence.importing.places import with_places
from ringfence.importing.report import Kind, Outcome
from ringfence.importing.services import one_line
from ringfence.importing.source import Item
from ringfence.model.acl import AclRule, NetworkAcl, Side
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.group import AddressGroup, SecurityGroup
from ringfence.model.profile import Profile
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, Direction, GroupRemote, Remote, Rule
from ringfence.model.service import Protocol
from ringfence.model.topology import Instance, Network, Peering, Port, Subnet, Vpc
from ringfence.model.world import World, by_name

NO_GROUP = "no-group"
"""The group of interfaces that are in none: it has no rules, so it lets nothing pass."""
NO_FILTER = "no-filter"
"""The group of interfaces that no group guards: it lets everything pass."""


@dataclass
class Built:
    """A world in ids, and where its parts stand in the files."""

    world: World
    at: dict[tuple[str, ...], Item] = field(default_factory=dict)
    """Items by ``section, name``; rules and lines by ``section, name, key``, ports by ``ports, instance, name``."""
    ports: dict[str, str] = field(default_factory=dict)
    """Names of ports by the ids of interfaces."""


def build(draft: Draft, profile: Profile) -> Built:
    """The world that a draft describes; whether it is valid is for `ringfence.importing.settling`."""
    _make_groups_up(draft, profile)
    _make_lists_up(draft)
    _tell_unknown_rules(draft)
    with_places(draft)
    built = Built(World(profile))
    built.world = World(
        profile=profile,
        vpcs=by_name(_vpc(draft, profile, id_, vpc) for id_, vpc in draft.vpcs.items()),
        address_groups=by_name(
            AddressGroup(id_, tuple(each.entries), each.max_entries) for id_, each in draft.lists.items()
        ),
        groups=by_name(_group(built, draft, id_, group) for id_, group in draft.groups.items()),
        instances=by_name(_instances(built, draft)),
        acls=by_name(_acl(built, draft, id_, acl) for id_, acl in draft.acls.items()),
        peerings=by_name(_peerings(draft)),
    )
    _note_places(built, draft)
    return built


def _note_places(built: Built, draft: Draft) -> None:
    sections: Mapping[str, Mapping[str, Item]] = {
        "vpcs": {id_: each.item for id_, each in draft.vpcs.items()},
        "subnets": {id_: each.item for id_, each in draft.subnets.items()},
        "groups": {id_: each.item for id_, each in draft.groups.items()},
        "address_groups": {id_: each.item for id_, each in draft.lists.items()},
        "acls": {id_: each.item for id_, each in draft.acls.items()},
        "peerings": {id_: each.item for id_, each in draft.peerings.items()},
    }
    built.at |= {(section, id_): item for section, items in sections.items() for id_, item in items.items()}


# ---- what is named and not told


def _make_groups_up(draft: Draft, profile: Profile) -> None:
    for id_, group in [*draft.groups.items()]:
        for item, rule in group.rules:
            if isinstance(rule.remote, GroupRemote) and rule.remote.name not in draft.groups:
                owner = f" of account {rule.remote.account}" if rule.remote.account else ""
                why = f"a rule of {id_} names it, and no file tells of it; its members are not known"
                done = "it is there without rules and members"
                draft.report.made(Kind.GROUPS, item, f"group {rule.remote.name}{owner}", why, done)
                vpc = group.vpc if profile.groups_need_vpc else ""
                made = GroupDraft(item, vpc=vpc, account=rule.remote.account, rules_known=True)
                draft.groups[rule.remote.name] = made
    for interface in draft.interfaces.values():
        for name in interface.groups:
            if name not in draft.groups:
                _make_member_group_up(draft, interface, name)


def _make_member_group_up(draft: Draft, interface: InterfaceDraft, name: str) -> None:
    group = GroupDraft(interface.item, rules_known=True)
    if name == NO_FILTER:
        group.rules = [
            (interface.item, Rule(direction, Action.ALLOW, Protocol.ALL, AnyRemote.ANY)) for direction in Direction
        ]
        why = "interfaces have no port security, and a world guards each by a group"
        draft.report.made(Kind.GROUPS, interface.item, f"group {name}", why, "its two rules let everything pass")
        for _ in Direction:
            draft.report.made(Kind.RULES, interface.item, f"rule of {name}", why)
    elif name == NO_GROUP:
        why = "interfaces are in no group, and a world guards each by one"
        draft.report.made(Kind.GROUPS, interface.item, f"group {name}", why, "it has no rules: nothing passes")
    else:
        why = "an interface is in it, and no file tells of it; its rules are not known"
        group.vpc = interface.vpc
        draft.report.made(Kind.GROUPS, interface.item, f"group {name}", why, "it is there without rules")
    draft.groups[name] = group


def _make_lists_up(draft: Draft) -> None:
    lines = [(item, line) for acl in draft.acls.values() for item, line in acl.lines]
    named = [(item, rule.remote) for group in draft.groups.values() for item, rule in group.rules]
    sides: list[tuple[Item, Remote | Side]] = [*named]
    sides += [(item, side) for item, line in lines for side in (line.source, line.destination)]
    for item, side in sides:
        if isinstance(side, AddressGroupRemote) and side.name not in draft.lists:
            draft.lists[side.name] = ListDraft(item)
            why = "a rule names it, and no file tells its entries"
            done = "it is there without entries: the rule matches nothing"
            draft.report.made(Kind.ADDRESS_GROUPS, item, f"address group {side.name}", why, done)


def _tell_unknown_rules(draft: Draft) -> None:
    for id_, group in draft.groups.items():
        if not group.rules_known:
            draft.report.note(Outcome.TOLD, group.item, f"group {id_}", "no file tells its rules", "it has none")


# ---- the parts of the world


def _vpc(draft: Draft, profile: Profile, id_: str, vpc: VpcDraft) -> Vpc:
    subnets = {
        name: Subnet(name, id_, _of(Family.IPV4, each.prefixes), _of(Family.IPV6, each.prefixes), each.acl)
        for name, each in sorted(draft.subnets.items())
        if each.vpc == id_
    }
    network = Network.CLASSIC if vpc.classic else Network.VPC
    return Vpc(id_, profile, tuple(sorted(vpc.cidrs)), subnets, network=network)


def _of(family: Family, prefixes: Iterable[Prefix]) -> Prefix | None:
    return next((prefix for prefix in prefixes if prefix.family is family), None)


def _group(built: Built, draft: Draft, id_: str, group: GroupDraft) -> SecurityGroup:
    rules: dict[str, Rule] = {}
    for item, rule in sorted(group.rules, key=_is_disabled):
        if rule.key in rules:
            first = built.at["groups", id_, rule.key]
            why = f"{first.source.name}:{first.line} says the same: {rule.key}"
            draft.report.gone(Kind.RULES, item, f"rule of {id_}", why, merged=True)
            continue
        built.at["groups", id_, rule.key] = item
        rules[rule.key] = rule
    description = one_line(group.description)
    return SecurityGroup(
        id_, tuple(rules.values()), group.vpc, group.type, group.intra_group, description, account=group.account
    )


def _is_disabled(placed: tuple[Item, Rule]) -> bool:
    """Those that are enabled come first: they count where another one says the same."""
    return not placed[1].enabled


def _acl(built: Built, draft: Draft, id_: str, acl: AclDraft) -> NetworkAcl:
    known: set[str] = set()
    enabled = {line.key for _, line in acl.lines if line.enabled}
    lines: list[AclRule] = []
    for item, line in acl.lines:
        is_weaker = not line.enabled and line.key in enabled
        if (line.key in known or is_weaker) and not line.given_id:
            why = f"another line says the same: {line.key}"
            draft.report.gone(Kind.LINES, item, f"line of {id_}", why, merged=True)
            continue
        known.add(line.key)
        built.at["acls", id_, line.id_in(id_)] = item
        lines.append(line)
    return NetworkAcl(id_, tuple(lines), acl.vpc, acl.enabled, one_line(acl.description))


def _instances(built: Built, draft: Draft) -> Iterator[Instance]:
    machines: dict[str, list[tuple[str, InterfaceDraft]]] = {}
    for id_, interface in draft.interfaces.items():
        machines.setdefault(interface.machine, []).append((id_, interface))
    for machine, interfaces in machines.items():
        ordered = sorted(interfaces, key=lambda pair: pair[1].order)
        ports = tuple(_port(machine, index, each) for index, (_, each) in enumerate(ordered))
        for (id_, interface), port in zip(ordered, ports, strict=True):
            built.at["ports", machine, port.name] = interface.item
            built.ports[id_] = str(port)
        yield Instance(machine, ports)


def _port(machine: str, index: int, interface: InterfaceDraft) -> Port:
    addresses: tuple[Address, ...] = tuple(sorted(dict.fromkeys(interface.addresses), key=_family))
    groups = tuple(dict.fromkeys(interface.groups))
    return Port(machine, f"eth{index}", interface.subnet, interface.vpc, addresses, groups)


def _family(address: Address) -> Family:
    return address.family


def _peerings(draft: Draft) -> Iterator[Peering]:
    for id_, peering in draft.peerings.items():
        one, two = sorted(peering.ends)
        yield Peering(id_, (one, two))
