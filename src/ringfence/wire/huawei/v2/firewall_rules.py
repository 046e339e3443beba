"""Firewall rules, version 2.0: rules of network ACLs by themselves (FWaaS v2; apis/huawei.md 3.5 and 3.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.errors import NotationError
from ringfence.model.acl import AclRule, Side
from ringfence.model.address import Family, Prefix
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote
from ringfence.model.service import ALL_PORTS, PortSet, Protocol
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.operation import Call, Operation, deleting
from ringfence.wire.huawei.paging import linked_page
from ringfence.wire.huawei.v2.described import DESCRIBED, described
from ringfence.wire.request import Told

_PATH = "/v2.0/fwaas/firewall_rules"
_ONE = f"{_PATH}/{{firewall_rule_id}}"
_FAMILIES: Final[Mapping[int, Family]] = {4: Family.IPV4, 6: Family.IPV6}
_EVERY: Final[Mapping[Family, str]] = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}
_SAID: Final = (
    *DESCRIBED,
    Member("protocol", (str,)),
    Member("action", (str,)),
    Member("ip_version", (int,)),
    Member("source_ip_address", (str,)),
    Member("destination_ip_address", (str,)),
    Member("source_port", (str,)),
    Member("destination_port", (str,)),
    Member("enabled", (bool,)),
)
_BODY = Member("firewall_rule", (dict,), required=True, of=_SAID)
_FILTERS = ("id", "name", "description", "action", "tenant_id")
_DOC = (
    "A rule counts once a policy has it that a firewall group has. An address that is not said is every one of the "
    "rule's family. Rules that name address groups, as the native API makes them, are not listed."
)


def operations() -> Iterator[Operation]:
    """The calls."""
    read = (action_of(Verb.READ, Kind.ACL_LINE),)
    yield Operation(
        "neutron_create_firewall_rule",
        "POST",
        _PATH,
        f"Make a rule. {_DOC}",
        actions_of(Verb.CREATE, Kind.ACL_LINE),
        _create,
        201,
        body=(_BODY,),
    )
    yield Operation(
        "neutron_list_firewall_rules",
        "GET",
        _PATH,
        f"List the rules. {_DOC}",
        read,
        _list,
        query=("limit", "marker", *_FILTERS),
    )
    yield Operation("neutron_show_firewall_rule", "GET", _ONE, "Show a rule.", read, _show)
    yield Operation(
        "neutron_update_firewall_rule",
        "PUT",
        _ONE,
        "Have a rule say something else, wherever it counts.",
        actions_of(Verb.UPDATE, Kind.ACL_LINE),
        _update,
        body=(_BODY,),
    )
    yield Operation(
        "neutron_delete_firewall_rule",
        "DELETE",
        _ONE,
        "Delete a rule that no policy has.",
        actions_of(Verb.DELETE, Kind.ACL_LINE),
        deleting(Kind.ACL_LINE, "firewall_rule_id"),
        204,
    )


def _create(call: Call) -> Told:
    said = call.json["firewall_rule"]

    def work(draft: Draft) -> Told:
        made = basic.create(draft, Kind.ACL_LINE, {**described(said), "rule": str(_read(said))})
        return {"firewall_rule": _told(made)}

    return call.change(work)


def _list(call: Call) -> Told:
    found = [_told(it) for it in call.visible(Kind.ACL_LINE) if not _names_list(it)]
    return linked_page(call, narrowed(call, found, _FILTERS), "firewall_rules")


def _show(call: Call) -> Told:
    return {"firewall_rule": _told(call.find(Kind.ACL_LINE, call.path["firewall_rule_id"]))}


def _update(call: Call) -> Told:
    said = call.json["firewall_rule"]

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.ACL_LINE, call.path["firewall_rule_id"])
        wanted = described(said)
        if said.keys() - wanted.keys():
            if _names_list(found):
                raise invalid("firewall_rule", "change it by the native API: it names an address group", found.id)
            if _told(found)["ip_version"] is None and said.get("ip_version") is None:
                raise invalid("ip_version", "say which: the rule is of both families until now", None)
            wanted["rule"] = str(_read(_told(found) | said))
        return {"firewall_rule": _told(basic.update(draft, Kind.ACL_LINE, found.id, wanted))}

    return call.change(work)


# --- read


def _read(said: Mapping[str, Any]) -> AclRule:
    """The rule that a body says; raises `InvalidFields`."""
    version = 4 if said.get("ip_version") is None else said["ip_version"]
    if version not in _FAMILIES:
        raise invalid("ip_version", "use 4 or 6", version)
    action = (said.get("action") or "deny").lower()
    if action not in (Action.ALLOW, Action.DENY):
        raise invalid("action", "use allow or deny", said["action"])
    enabled = said.get("enabled") is not False
    try:
        return AclRule(
            Action(action),
            Protocol.parse(said.get("protocol") or "all"),
            _side(said, "source_ip_address", _FAMILIES[version]),
            _side(said, "destination_ip_address", _FAMILIES[version]),
            ports=_ports(said.get("destination_port")),
            source_ports=_ports(said.get("source_port")),
            enabled=enabled,
        )
    except NotationError as error:
        raise invalid("firewall_rule", f"{error.what}; {error.right}", dict(said)) from None


def _side(said: Mapping[str, Any], name: str, family: Family) -> Prefix:
    prefix = Prefix.parse(said.get(name) or _EVERY[family])
    if prefix.family is not family:
        raise invalid(name, f"give an {family} address or prefix, as ip_version says", said[name])
    return prefix


def _ports(said: str | None) -> PortSet:
    return PortSet.parse(said.replace(":", "-")) if said else ALL_PORTS


# --- told


def rule_of(resource: Resource) -> AclRule:
    """The rule that a resource is."""
    return cast("AclRule", resource.value)


def _names_list(resource: Resource) -> bool:
    rule = rule_of(resource)
    return any(isinstance(side, AddressGroupRemote) for side in (rule.source, rule.destination))


def _told(resource: Resource) -> dict[str, Any]:
    rule = rule_of(resource)
    versions = [version for version, family in _FAMILIES.items() if family in rule.families]
    return {
        "id": resource.id,
        "name": resource.name,
        "description": resource.description,
        "action": rule.action.value,
        "protocol": None if rule.protocol == Protocol.ALL else str(rule.protocol),
        "ip_version": versions[0] if len(versions) == 1 else None,
        "enabled": rule.enabled,
        "public": False,
        "source_ip_address": _address(rule.source),
        "destination_ip_address": _address(rule.destination),
        "source_port": _range(rule.source_ports),
        "destination_port": _range(rule.ports),
        "tenant_id": resource.account,
        "project_id": resource.account,
    }


def _address(side: Side) -> str | None:
    return None if isinstance(side, AnyRemote) else str(side)


def _range(ports: PortSet) -> str | None:
    return str(ports).replace("-", ":") if ports else None
