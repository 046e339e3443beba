"""Security group rules, version 1; version 2.0 has the same with a few members more (apis/huawei.md 3.5 and 3.7).

These versions have no action, priority, list of ports or switch: their rules allow, with the default priority.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.model.address import Family
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import Action, AnyRemote
from ringfence.model.service import PortRange
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.paging import plain_page
from ringfence.wire.huawei.telling import RULE_MEMBERS, add_rules, rule_head, rule_of, said_rule
from ringfence.wire.request import Told

REDUCED: Final = (
    "A rule that says more than this version can is shown in a reduced form: with one item, all of its id, for each "
    "of its port ranges and address families; its priority is not shown; and if it denies, is disabled, or names "
    "a port list, source ports or addresses of the port's own, it is left out. It can be deleted by its id all the "
    "same."
)
"""What lists of rules and groups do with rules of version 3, of the native API and of the other cloud."""
NEW_RULE: Final = (
    Member("security_group_id", (str,), required=True),
    *RULE_MEMBERS,
    Member("port_range_min", (int,)),
    Member("port_range_max", (int,)),
)
NEW_DOC: Final = "Make a rule that allows, with the default priority. Types and codes of ICMP are refused."
READ: Final = (action_of(Verb.READ, Kind.RULE),)
_FAMILIES: Final = {Family.IPV4: ("IPv4", "0.0.0.0/0"), Family.IPV6: ("IPv6", "::/0")}
_PATH = "/v1/{project_id}/security-group-rules"
Tell = Callable[[Resource], list[dict[str, Any]]]


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "create_security_group_rule",
        "POST",
        _PATH,
        NEW_DOC,
        actions_of(Verb.CREATE, Kind.RULE),
        partial(create, tell=reduced),
        201,
        body=(Member("security_group_rule", (dict,), required=True, of=NEW_RULE),),
    )
    yield Operation(
        "list_security_group_rules",
        "GET",
        _PATH,
        f"List the rules. {REDUCED}",
        READ,
        _list,
        query=("limit", "marker", "security_group_id", "remote_ip_prefix"),
    )
    one = f"{_PATH}/{{security_group_rule_id}}"
    yield Operation(
        "show_security_group_rule",
        "GET",
        one,
        f"Show a rule; of several items the first, and none is not found. {REDUCED}",
        READ,
        partial(show, tell=reduced),
    )
    yield Operation(
        "delete_security_group_rule", "DELETE", one, "Delete a rule.", actions_of(Verb.DELETE, Kind.RULE), delete, 204
    )


def create(call: Call, tell: Tell) -> Told:
    """Make a rule."""
    said = call.json["security_group_rule"]
    ports = _ports(said)

    def work(draft: Draft) -> Told:
        group = draft.own(Kind.GROUP, said["security_group_id"])
        (made,) = add_rules(draft, group, [{**said_rule(draft, said), **ports}], ports="port_range_min")
        return {"security_group_rule": tell(made)[0]}

    return call.change(work)


def _ports(said: Mapping[str, Any]) -> dict[str, str]:
    low, high = said.get("port_range_min"), said.get("port_range_max")
    if low is None and high is None:
        return {}
    if low is None or high is None:
        raise invalid("port_range_min", "give both port_range_min and port_range_max", low)
    return {} if (low, high) == (1, 65535) else {"ports": f"{low}-{high}"}


def _list(call: Call) -> Told:
    names = ("security_group_id", "remote_ip_prefix")
    return plain_page(call, narrowed(call, every(call, reduced), names), "security_group_rules")


def every(call: Call, tell: Tell) -> list[dict[str, Any]]:
    """All rules that the caller may see, as far as they can be told."""
    return [told for it in call.visible(Kind.RULE) for told in tell(it)]


def show(call: Call, tell: Tell) -> Told:
    """Show a rule."""
    found = call.find(Kind.RULE, call.path["security_group_rule_id"])
    told = tell(found)
    if not told:
        raise call.missing(Kind.RULE, found.id)
    return {"security_group_rule": told[0]}


def delete(call: Call) -> Told:
    """Delete a rule."""

    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.RULE, draft.own(Kind.RULE, call.path["security_group_rule_id"]).id)
        return {}

    return call.change(work)


def reduced(resource: Resource) -> list[dict[str, Any]]:
    """A rule as far as it can be told: an item for each port range and address family."""
    rule = rule_of(resource)
    ports = rule.ports
    if rule.action is Action.DENY or not rule.enabled or rule.is_five_tuple or isinstance(ports, NamedPorts):
        return []
    head = rule_head(resource) | {"tenant_id": resource.account}
    found = []
    for family in rule.families:
        ethertype, every_address = _FAMILIES[family]
        told = head | {"ethertype": ethertype}
        if rule.remote is AnyRemote.ANY:
            told["remote_ip_prefix"] = every_address
        found += [told | _range(each) for each in ports.ranges or (None,)]
    return found


def _range(ports: PortRange | None) -> dict[str, int | None]:
    low, high = (ports.first, ports.last) if ports else (None, None)
    return {"port_range_min": low, "port_range_max": high}
