"""How rules and times are told and read in the versions of Huawei's API alike (apis/huawei.md 3.5).

A rule of Huawei's is of one address family. Where neither its remote nor its protocol says which, our rule says it by
its own side: every address of the family. One without a remote has the whole family as its remote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from ringfence.control import rules
from ringfence.control.draft import Draft
from ringfence.errors import Conflict, FieldProblem, InvalidFields, NotationError
from ringfence.model.address import Family, Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import AddressGroupRemote, AnyRemote, GroupRemote, Rule
from ringfence.model.service import GRE
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import RuleOf
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.operation import Call
from ringfence.wire.huawei.said import named

DIRECTIONS: Final = ("ingress", "egress")
FAMILIES: Final[Mapping[str, Family]] = {"IPv4": Family.IPV4, "IPv6": Family.IPV6}
_EVERY: Final[Mapping[Family, str]] = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}
_NAMED: Final = ("tcp", "udp", "icmp", "icmpv6", "gre")
DUPLICATE: Final = "VPC.0602"

RULE_MEMBERS: Final = (
    Member("description", (str,)),
    Member("direction", (str,), required=True),
    Member("ethertype", (str,)),
    Member("protocol", (str,)),
    Member("remote_ip_prefix", (str,)),
    Member("remote_group_id", (str,)),
    Member("remote_address_group_id", (str,)),
)
"""What every version takes for a new rule, besides its group."""

# --- told


def time_of(text: str) -> str:
    """A time as the vendor tells it: to the second, in UTC."""
    return text[:19] + "Z" if text else ""


def rule_of(resource: Resource) -> Rule:
    """The rule that a resource is."""
    return cast("RuleOf", resource.value).rule


def ethertype_of(rule: Rule) -> str | None:
    """IPv4 or IPv6; None for a rule of both, as the native API can make it and the vendor's cannot."""
    found = [name for name, family in FAMILIES.items() if family in rule.families]
    return found[0] if len(found) == 1 else None


def protocol_of(rule: Rule) -> str | None:
    """The name, or the number as a text; None for every protocol."""
    number = rule.protocol.number
    return None if number is None else str(GRE) if number == GRE else str(rule.protocol)


def remote_of(rule: Rule) -> dict[str, str | None]:
    """The three members of which one says the remote; none of them for every address of both families."""
    said: dict[str, str | None] = dict.fromkeys(("remote_ip_prefix", "remote_group_id", "remote_address_group_id"))
    match rule.remote:
        case Prefix() as prefix:
            said["remote_ip_prefix"] = str(prefix)
        case GroupRemote(name=name):
            said["remote_group_id"] = name
        case AddressGroupRemote(name=name):
            said["remote_address_group_id"] = name
        case AnyRemote():
            only = rule.families if len(rule.families) == 1 else ()
            said["remote_ip_prefix"] = next((_EVERY[family] for family in only), None)
    return said


def rule_head(resource: Resource) -> dict[str, Any]:
    """What every version tells of a rule, but its ports."""
    at = cast("RuleOf", resource.value)
    return {
        "id": resource.id,
        "security_group_id": at.group,
        "description": at.rule.description,
        "direction": at.rule.direction.value,
        "ethertype": ethertype_of(at.rule),
        "protocol": protocol_of(at.rule),
        **remote_of(at.rule),
    }


def rules_seen(call: Call, group: Resource, rules: Iterable[Resource]) -> list[Resource]:
    """The rules of a group in the order in which they are told; none, if the caller may not look into it."""
    may = call.control.authority.may(call.caller, ram.DESCRIBE_SECURITY_GROUP_ATTRIBUTE, group)
    return sorted(rules, key=lambda it: it.id) if may else []


def group_of(resource: Resource) -> SecurityGroup:
    """The group that a resource is."""
    return cast("SecurityGroup", resource.value)


# --- read


def said_rule(draft: Draft, said: Mapping[str, Any]) -> dict[str, Any]:
    """What `ringfence.control.rules` takes of a new rule, but its ports. Raises `InvalidFields`, `NotFound`.

    ``said`` has the members of `RULE_MEMBERS`. Ids of groups and address groups must be the caller's own.
    """
    if said["direction"] not in DIRECTIONS:
        raise invalid("direction", "use ingress or egress", said["direction"])
    family = FAMILIES.get(said.get("ethertype") or "IPv4")
    if family is None:
        raise invalid("ethertype", "use IPv4 or IPv6", said["ethertype"])
    wanted = {"direction": said["direction"], "protocol": _protocol(said.get("protocol"))}
    return wanted | named({"description": said.get("description") or ""}) | _remote(draft, said, family)


def _protocol(said: str | None) -> str:
    if not said:
        return "all"
    word = said.lower()
    if word not in _NAMED and not (word.isascii() and word.isdigit()):
        raise invalid("protocol", "use tcp, udp, icmp, icmpv6, gre or a number from 0 to 255", said)
    return word


def _remote(draft: Draft, said: Mapping[str, Any], family: Family) -> dict[str, Any]:
    given = [name for name in ("remote_ip_prefix", "remote_group_id", "remote_address_group_id") if said.get(name)]
    if len(given) > 1:
        raise invalid(given[1], f"give one of {' and '.join(given)}", said[given[1]])
    if said.get("remote_group_id"):
        group = draft.own(Kind.GROUP, said["remote_group_id"])
        return {"remote": f"group {group.id}", "local": _EVERY[family]}
    if said.get("remote_address_group_id"):
        listed = draft.own(Kind.ADDRESS_GROUP, said["remote_address_group_id"])
        return {"remote": listed.id, "local": _EVERY[family]}
    return {"remote": _prefix(said.get("remote_ip_prefix") or _EVERY[family], family)}


def _prefix(text: str, family: Family) -> str:
    try:
        prefix = Prefix.parse(text)
    except NotationError as error:
        problem = FieldProblem("remote_ip_prefix", error.what, error.right, error.code, text)
        raise InvalidFields((problem,)) from None
    if prefix.family is not family:
        raise invalid("remote_ip_prefix", f"give an {family} address or prefix, as ethertype says", text)
    return str(prefix)


def add_rules(
    draft: Draft,
    group: Resource,
    said: Sequence[Mapping[str, Any]],
    *,
    ignore_duplicate: bool = False,
    ports: str = "multiport",
) -> tuple[Resource, ...]:
    """Add rules to a group, all or none; gives the new ones. Raises `Conflict` for one that is there already.

    ``ports`` is what the version calls the ports of a rule.
    """
    try:
        done = rules.authorize(draft, group.id, said)
    except InvalidFields as error:
        raise InvalidFields(tuple(_as_said(it, ports, many=len(said) > 1) for it in error.problems)) from None
    if done.already and not ignore_duplicate:
        what = f"Security group rule already exists. Rule id is {done.already[0].id}."
        raise Conflict(what, reason=DUPLICATE, field="security_group_rule", value=done.already[0].id)
    return done.added


def _as_said(problem: FieldProblem, ports: str, *, many: bool) -> FieldProblem:
    """What is wrong with a rule under the names that the request has for it."""
    head, _, name = problem.field.rpartition(".")
    if not head.startswith("rules."):
        return problem
    place = f"security_group_{head}" if many else ""
    name = {"ports": ports, "rule": ""}.get(name, name)
    return replace(problem, field=".".join(filter(None, (place, name))) or "security_group_rule")
