"""Where things are, where no file says it: VPCs and subnets that are named only, and the ACLs at subnets' edges."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.importing.draft import Draft
from ringfence.importing.drafted import InterfaceDraft, SubnetDraft, VpcDraft
from ringfence.importing.report import Kind, Outcome
from ringfence.importing.source import Item
from ringfence.model.address import Address, Family, Prefix

NOWHERE = Prefix.parse("198.19.255.248/29")
"""For benchmarks only (RFC 2544), so nobody asks for it: the prefix of a VPC of which none is known."""
_LENGTHS = {Family.IPV4: (*range(24, 7, -1), *range(25, 30)), Family.IPV6: (*range(64, 31, -1), *range(65, 125))}
"""Lengths of made-up subnets in the order in which they are tried."""


def with_places(draft: Draft) -> None:
    """Give a draft every VPC and subnet that it names; interfaces without a place are left out."""
    _find_vpcs(draft)
    for id_, interface in [*draft.interfaces.items()]:
        if why := _homeless(interface):
            draft.report.gone(Kind.INTERFACES, interface.item, f"interface {id_} of {interface.machine}", why)
            del draft.interfaces[id_]
    for item, vpc in _named_vpcs(draft):
        if vpc not in draft.vpcs:
            draft.report.made(Kind.VPCS, item, f"VPC {vpc}", "it is named, and no file tells of it")
            draft.vpcs[vpc] = VpcDraft(item)
    _make_subnets_up(draft)
    _make_cidrs_up(draft)
    _put_acls(draft)


def _find_vpcs(draft: Draft) -> None:
    for interface in draft.interfaces.values():
        known = draft.subnets.get(interface.subnet)
        if known:
            interface.vpc = known.vpc
        interface.subnet = interface.subnet or (f"{interface.vpc}-subnet" if interface.vpc else "")


def _homeless(interface: InterfaceDraft) -> str:
    if not interface.addresses:
        return "no file tells a private address of it"
    return "" if interface.vpc else "no file tells the VPC that it is in; give the lists of subnets and VPCs too"


def _named_vpcs(draft: Draft) -> Iterator[tuple[Item, str]]:
    for things in (draft.subnets, draft.groups, draft.acls, draft.interfaces):
        yield from ((thing.item, thing.vpc) for thing in things.values() if thing.vpc)
    yield from ((peering.item, end) for peering in draft.peerings.values() for end in peering.ends)


# ---- subnets


def _make_subnets_up(draft: Draft) -> None:
    """Subnets of interfaces that no file tells of, each as large as needed, and prefixes of the families that lack."""
    inside: dict[str, list[str]] = {}
    for id_, interface in draft.interfaces.items():
        inside.setdefault(interface.subnet, []).append(id_)
    for subnet, ids in inside.items():
        item, vpc = draft.interfaces[ids[0]].item, draft.interfaces[ids[0]].vpc
        if subnet not in draft.subnets:
            draft.report.made(
                Kind.SUBNETS, item, f"subnet {subnet}", "interfaces are in it, and no file tells its prefix"
            )
            draft.subnets[subnet] = SubnetDraft(item, vpc)
        _fill_subnet(draft, subnet, [address for id_ in ids for address in draft.interfaces[id_].addresses])
    for subnet in [name for name, each in draft.subnets.items() if not each.prefixes]:
        _leave_subnet_out(draft, subnet, inside.get(subnet, []))


def _leave_subnet_out(draft: Draft, name: str, inside: list[str]) -> None:
    why = "no file tells its prefix, and none holds the addresses in it and leaves out a gateway's and other subnets'"
    draft.report.gone(Kind.SUBNETS, draft.subnets.pop(name).item, f"subnet {name}", why)
    for id_ in inside:
        interface = draft.interfaces.pop(id_)
        why = f"its subnet {name} is left out"
        draft.report.gone(Kind.INTERFACES, interface.item, f"interface {id_} of {interface.machine}", why)


def _fill_subnet(draft: Draft, name: str, addresses: list[Address]) -> None:
    subnet = draft.subnets[name]
    for family in Family:
        own = [address for address in addresses if address.family is family]
        if not own or any(prefix.family is family for prefix in subnet.prefixes):
            continue
        taken = [prefix for each in draft.subnets.values() if each.vpc == subnet.vpc for prefix in each.prefixes]
        prefix = _around(own, taken)
        if prefix:
            why = f"no file tells its {family} prefix; this one holds the addresses of its interfaces"
            draft.report.note(Outcome.MADE_UP, subnet.item, f"{prefix} of subnet {name}", why)
            subnet.prefixes.append(prefix)


def _around(addresses: list[Address], taken: list[Prefix]) -> Prefix | None:
    """A prefix that holds some addresses, none of them a reserved one, and meets none of those that are taken."""
    family = addresses[0].family
    for length in _LENGTHS[family]:
        rest = family.bits - length
        prefix = Prefix(family, addresses[0].value >> rest << rest, length)
        if all(_may_be_in(address, prefix) for address in addresses) and not any(
            prefix.range.overlaps(each.range) for each in taken
        ):
            return prefix
    return None


def _may_be_in(address: Address, prefix: Prefix) -> bool:
    return address in prefix and address.value - prefix.network > 1 and address.value != prefix.range.last


# ---- VPCs


def _make_cidrs_up(draft: Draft) -> None:
    for id_, vpc in draft.vpcs.items():
        own = [prefix for each in draft.subnets.values() if each.vpc == id_ for prefix in each.prefixes]
        lacking = [prefix for prefix in dict.fromkeys(own) if not _is_inside(prefix, vpc.cidrs)]
        if lacking:
            said = ", ".join(map(str, lacking))
            why = "no file tells these prefixes of it, and its subnets have them"
            draft.report.note(Outcome.MADE_UP, vpc.item, f"{said} of VPC {id_}", why)
            vpc.cidrs += _apart(lacking)
    nowhere = [id_ for id_, vpc in draft.vpcs.items() if not vpc.cidrs]
    if nowhere:
        draft.report.assume(
            f"no file tells a prefix of {', '.join(nowhere)}, and a world file gives each VPC one: {NOWHERE}, which "
            "nobody has"
        )
    for id_ in nowhere:
        draft.vpcs[id_].cidrs.append(NOWHERE)


def _is_inside(prefix: Prefix, cidrs: list[Prefix]) -> bool:
    return any(cidr.range.overlaps(prefix.range) and cidr.length <= prefix.length for cidr in cidrs)


def _apart(prefixes: list[Prefix]) -> list[Prefix]:
    """Without those that lie in another one."""
    found: list[Prefix] = []
    for prefix in sorted(prefixes, key=lambda each: each.length):
        if not _is_inside(prefix, found):
            found.append(prefix)
    return found


# ---- ACLs


def _put_acls(draft: Draft) -> None:
    for subnet, (item, acl) in draft.edges.items():
        if subnet in draft.subnets and acl in draft.acls:
            draft.subnets[subnet].acl = acl
        elif acl in draft.acls:
            draft.report.note(Outcome.TOLD, item, f"ACL {acl} at subnet {subnet}", "no file tells of that subnet")
        elif subnet in draft.subnets:
            why = "no file tells its lines"
            draft.report.note(Outcome.TOLD, item, f"ACL {acl} at subnet {subnet}", why, "the subnet has no ACL")
