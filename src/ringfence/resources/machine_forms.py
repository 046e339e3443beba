"""The forms of machines: instances, their ports, and what is about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.errors import NotationError
from ringfence.model.address import Address
from ringfence.model.flow import Expectation
from ringfence.model.names import check_name
from ringfence.model.service import Listener
from ringfence.model.topology import OutsideHost, Port, VirtualIp
from ringfence.resources.fields import choice, listed, number, parsed, reference, text
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Called, Key
from ringfence.resources.values import Machine, Penalized, PortAt, Power

Fields = Mapping[str, Any]

INSTANCE = Form(
    kind=Kind.INSTANCE,
    plural="instances",
    prefix="i",
    fields=(
        listed("serve", "what listens on it in a lab", Listener.parse, default=(), longest=200, example="tcp/80"),
        text("hostname", "what it calls itself", longest=128),
        choice(
            "power", "what was said of it last: start, stop and reboot say it", Power, default=Power.RUNNING, fixed=True
        ),
    ),
    build=lambda called, fields: Machine(tuple(sorted(fields["serve"], key=str)), fields["hostname"], fields["power"]),
    parts=lambda it: {"serve": it.serve, "hostname": it.hostname, "power": it.power},
    refers=lambda it: (),
)


def _port(called: Called, fields: Fields) -> PortAt:
    if "." in called.name:
        raise NotationError(f"{called.name!r} has a dot", "leave it out: a dot stands between an instance and its port")
    port = Port(
        fields["instance"],
        check_name(called.name),
        fields["subnet"],
        fields["vpc"],
        tuple(sorted(fields["addresses"], key=lambda address: address.family.bits)),  # the first of a family leads
        fields["groups"],
        fields["namespace"],
        fields["parent"],
        fields["vlan"],
    )
    return PortAt(fields["index"], port, fields["label"])


def _port_parts(it: PortAt) -> dict[str, Any]:
    names = ("instance", "subnet", "vpc", "addresses", "groups", "namespace", "parent", "vlan")
    return {"index": it.index, "label": it.label} | {name: getattr(it.port, name) for name in names}


def _port_refers(it: PortAt) -> Iterator[Key]:
    yield Key(Kind.SUBNET, it.port.subnet)
    yield from (Key(Kind.GROUP, group) for group in it.port.groups)
    if it.port.instance:
        yield Key(Kind.INSTANCE, it.port.instance)
    if it.port.parent:
        yield Key(Kind.PORT, it.port.parent)


PORT = Form(
    kind=Kind.PORT,
    plural="ports",
    prefix="eni",
    fields=(
        reference("instance", "the instance that it is a port of; empty while it is of none", default="", fixed=True),
        reference("subnet", "the subnet that it sits in", fixed=True),
        reference("vpc", "the subnet's VPC (settled by the subnet)", default="", fixed=True),
        listed("addresses", "its private addresses", Address.parse, longest=512, example="10.0.1.11"),
        listed("groups", "its security groups in their order", check_name, longest=100, example="sg-web"),
        parsed(
            "namespace", "the guest's network namespace that it sits in; empty for the main one", check_name, default=""
        ),
        number("index", "which port of its instance: 0 is the primary one", 0, 1023, default=0, fixed=True),
        reference("parent", "the port that it hangs off, if it is a supplementary interface", default="", fixed=True),
        number("vlan", "its VLAN there; 0 of a port with a wire of its own", 0, 4094, default=0, fixed=True),
        text("label", "what its users call it; it need not be unique", longest=255),
    ),
    build=_port,
    parts=_port_parts,
    refers=_port_refers,
)


def _virtual_ip(called: Called, fields: Fields) -> VirtualIp:
    ports = tuple(sorted(fields["ports"]))
    active = fields["active"] or next(iter(fields["ports"]), "")
    return VirtualIp(called.id, fields["subnet"], fields["vpc"], fields["addresses"], ports, active)


def _virtual_ip_parts(it: VirtualIp) -> dict[str, Any]:
    return {name: getattr(it, name) for name in ("subnet", "vpc", "addresses", "ports", "active")}


def _virtual_ip_refers(it: VirtualIp) -> Iterator[Key]:
    yield Key(Kind.SUBNET, it.subnet)
    yield from (Key(Kind.PORT, port) for port in dict.fromkeys((*it.ports, it.active)) if port)


VIRTUAL_IP = Form(
    kind=Kind.VIRTUAL_IP,
    plural="virtual-ips",
    prefix="havip",
    fields=(
        reference("subnet", "the subnet", fixed=True),
        reference("vpc", "the subnet's VPC (settled by the subnet)", default="", fixed=True),
        listed("addresses", "the addresses", Address.parse, longest=2, example="10.0.1.100"),
        listed("ports", "the ports (by id) that may have it", check_name, longest=100, example="web-1.eth0"),
        reference("active", "the port that has it now; the first, if nothing is said", default=""),
    ),
    build=_virtual_ip,
    parts=_virtual_ip_parts,
    refers=_virtual_ip_refers,
)


def _penalty(called: Called, fields: Fields) -> Penalized:
    if bool(fields["instance"]) is bool(fields["port"]):
        raise NotationError("a penalty is for an instance or for a port", "give one of instance and port")
    if not fields["reason"].strip():
        raise NotationError("the penalty gives no reason", "say why: each trace of a packet tells it")
    return Penalized(fields["instance"], fields["port"], fields["reason"])


PENALTY = Form(
    kind=Kind.PENALTY,
    plural="penalties",
    prefix="pen",
    fields=(
        reference("instance", "an instance, with all its ports", default="", fixed=True),
        reference("port", "or one port", default="", fixed=True),
        text("reason", "why", longest=512),
    ),
    build=_penalty,
    parts=lambda it: {"instance": it.instance, "port": it.port, "reason": it.reason},
    refers=lambda it: [Key(Kind.INSTANCE, it.instance) if it.instance else Key(Kind.PORT, it.port)],
)

OUTSIDE_HOST = Form(
    kind=Kind.OUTSIDE_HOST,
    plural="outside-hosts",
    prefix="host",
    fields=(listed("addresses", "at most one of a family", Address.parse, longest=2, example="203.0.113.9"),),
    build=lambda called, fields: OutsideHost(called.id, fields["addresses"], called.account),
    parts=lambda it: {"addresses": it.addresses},
    refers=lambda it: (),
)

EXPECTATION = Form(
    kind=Kind.EXPECTATION,
    plural="expectations",
    prefix="exp",
    fields=(parsed("expect", "the flow and its end", Expectation.parse, example="web-1 -> db-1 tcp/3306 allow"),),
    build=lambda called, fields: fields["expect"],
    parts=lambda it: {"expect": it},
    refers=lambda it: (),
)
