"""Drop records: which rule has dropped a packet. The evaluator says it, by the packet's header; nothing is guessed.

The kernel tells what was dropped, in which VPC, by which links it came and went, and what conntrack thought of it. A
packet that the evaluator would let pass as the first of a connection was dropped for another reason, and the record
names that reason and no rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringfence.errors import NotationError
from ringfence.model.address import Address
from ringfence.model.packet import Packet, Tracking
from ringfence.model.rule import Action
from ringfence.model.service import TCP, Protocol
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Step, Verdict

OUTSIDE = "outside"
"""What stands for the internet's link where a port's name could stand."""


class Reason(StrEnum):
    """Why a packet was dropped."""

    POLICY = "policy"
    """A rule or a default denies it; the record names it."""
    NOT_OWN_ADDRESS = "not-own-address"
    """Who sent it may not have its source address (anti-spoofing)."""
    UNKNOWN_LINK = "unknown-link"
    """It came by a link that is no port's."""
    NO_CONNECTION = "no-connection"
    """It belongs to no connection that is known, and cannot begin one: mid-stream, or an answer to nothing."""
    FOREIGN_ERROR = "foreign-error"
    """An ICMP error about a connection, from the link of neither end."""
    HELD = "held"
    """Its connection was cut by a change, and its key is held for a while (SEMANTICS.md section 13, `hold`)."""
    UNEXPLAINED = "unexplained"
    """The policy in force lets it pass: it came while the policy changed."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A packet that was dropped in a VPC, as the kernel tells it.

    ``time`` is in seconds since 1970. ``incoming`` and ``outgoing`` are the ports by whose links it came and would have
    left; otherwise a name for the link, which is `OUTSIDE` for the internet's, and empty where there was none yet.
    """

    time: float
    vpc: str
    packet: Packet
    tracking: Tracking
    incoming: Port | str
    outgoing: Port | str


@dataclass(frozen=True, slots=True)
class DropRecord:
    """A dropped packet, and why.

    ``stage``, ``place``, ``group`` and ``rule_id`` are those of the verdict's deciding step; empty unless ``reason`` is
    `Reason.POLICY`. ``port`` is the port whose gate dropped it; where no port's did, that by which it came or would
    have left. ``direction`` is seen from there: ``out`` or ``in``.
    """

    time: float
    vpc: str
    packet: Packet
    incoming: str
    outgoing: str
    reason: Reason
    text: str
    port: str = ""
    direction: str = ""
    stage: str = ""
    place: str = ""
    group: str = ""
    rule_id: str = ""

    def as_json(self) -> dict[str, object]:
        """For programs; `from_json` reads it."""
        packet = self.packet
        return {
            "time": round(self.time, 6),
            "vpc": self.vpc,
            "source": str(packet.source),
            "source_port": packet.source_port,
            "destination": str(packet.destination),
            "destination_port": packet.port,
            "protocol": packet.protocol,
            "bytes": packet.length,
            "tcp_flags": packet.tcp_flags,
            "incoming": self.incoming,
            "outgoing": self.outgoing,
            "reason": str(self.reason),
            "text": self.text,
            **{name: getattr(self, name) or None for name in _OF_STEP},
        }

    @classmethod
    def from_json(cls, told: Mapping[str, object]) -> DropRecord:
        """Read what `as_json` has written; raises `KeyError`, `ValueError` and `NotationError` for anything else."""
        packet = Packet(
            Address.parse(str(told["source"])),
            Address.parse(str(told["destination"])),
            int(str(told["protocol"])),
            int(str(told["bytes"])),
            _number(told["source_port"]),
            _number(told["destination_port"]),
            int(str(told["tcp_flags"])),
        )
        words = [str(told[name] or "") for name in _OF_STEP]
        return cls(
            float(str(told["time"])),
            str(told["vpc"]),
            packet,
            str(told["incoming"]),
            str(told["outgoing"]),
            Reason(str(told["reason"])),
            str(told["text"]),
            *words,
        )

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.stage, self.place)))
        by = " ".join(filter(None, (self.group, self.rule_id)))
        why = f"denied at {where} by {by}" if self.reason is Reason.POLICY else str(self.reason)
        return f"{self.packet}  {why}: {self.text}"


_OF_STEP = ("port", "direction", "stage", "place", "group", "rule_id")


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))


def judge(policy: Policy, dropped: Dropped) -> DropRecord | None:
    """Say why a packet was dropped; None if by this policy there is no reason (see `unexplained`)."""
    if dropped.tracking is Tracking.UNSEEN:
        return _at_the_door(policy.world, dropped)
    step = next((it for it in _stages(policy, dropped) if it.action is Action.DENY), None)
    if step:
        return _of_step(dropped, step)
    if dropped.tracking is Tracking.INVALID:
        return _other(dropped, Reason.NO_CONNECTION, _no_connection(dropped.packet))
    if dropped.tracking is Tracking.RELATED:
        text = f"an error about a connection, and {_name(dropped.incoming)} is at neither end of that"
        return _other(dropped, Reason.FOREIGN_ERROR, text)
    if dropped.tracking is Tracking.HELD:
        return _other(dropped, Reason.HELD, "its connection was cut by a change of the policy, and its key is held")
    return None


def unexplained(dropped: Dropped) -> DropRecord:
    """The record of a packet that no policy explains that was in force about then."""
    return _other(dropped, Reason.UNEXPLAINED, "the policy in force lets it pass: it came while the policy changed")


_EVERY_PACKET = (Stage.PLATFORM, Stage.ACL_EGRESS, Stage.ACL_INGRESS)
"""The stages that judge packets of known connections as well: penalties, and ACLs that keep no state."""


def _stages(policy: Policy, dropped: Dropped) -> list[Step]:
    """The steps that may have dropped it, in their order: those of this VPC that look at such a packet."""
    is_reply = dropped.tracking is Tracking.REPLY
    verdict = _verdict(policy, dropped, is_reply)
    if verdict is None:
        return []
    steps: Iterable[Step] = verdict.steps
    if is_reply:
        steps = (*(step for step in verdict.steps if step.stage is Stage.PLATFORM), *verdict.back)
    elif not _is_first(dropped):
        only = (Stage.PLATFORM,) if dropped.tracking in (Tracking.INVALID, Tracking.HELD) else _EVERY_PACKET
        steps = (step for step in steps if step.stage in only)
    return [step for step in steps if step.port is None or step.port.vpc == dropped.vpc]


def _is_first(dropped: Dropped) -> bool:
    """Whether the gates judge it: a first packet, or that of a connection that belongs to another (FTP)."""
    is_child = dropped.tracking is Tracking.RELATED and not dropped.packet.is_icmp
    return dropped.tracking is Tracking.NEW or is_child


def _verdict(policy: Policy, dropped: Dropped, is_reply: bool) -> Verdict | None:
    """The verdict on the connection's first packet, if this is an answer; else on the packet. None for odd ICMP."""
    packet = dropped.packet
    ends = [policy.world.seen_from(dropped.vpc, address) for address in (packet.source, packet.destination)]
    try:
        flow = packet.flow(*ends)
    except NotationError:  # ICMP over IPv6, ICMPv6 over IPv4
        return None
    return policy.evaluate(flow.back if is_reply else flow)


def _at_the_door(world: World, dropped: Dropped) -> DropRecord | None:
    """Before conntrack only the source address is looked at."""
    source, sender = dropped.packet.source, dropped.incoming
    if isinstance(sender, Port):
        own = [*sender.addresses, *_virtual(world, sender)]
        if source in own:
            return None
        text = f"{sender} may send from {', '.join(map(str, own))}, not from {source}"
    elif sender == OUTSIDE:
        text = f"{source} is an address of VPC {dropped.vpc} or of a peer, and it came from outside"
    elif sender.startswith("peer "):
        text = f"{source} is not an address of {sender}"
    else:
        return _other(dropped, Reason.UNKNOWN_LINK, f"link {sender} is no port's")
    return _other(dropped, Reason.NOT_OWN_ADDRESS, text)


def _virtual(world: World, port: Port) -> list[Address]:
    return [address for vip in world.virtual_ips.values() if str(port) in vip.ports for address in vip.addresses]


def _no_connection(packet: Packet) -> str:
    if packet.protocol == TCP:
        return "a TCP packet of no connection that is known, and not the first of one"
    return f"{Protocol(packet.protocol)}: an answer to nothing, or an error about nothing, that is known"


def _of_step(dropped: Dropped, step: Step) -> DropRecord:
    port = step.port or _port(dropped)
    return DropRecord(
        dropped.time,
        dropped.vpc,
        dropped.packet,
        _name(dropped.incoming),
        _name(dropped.outgoing),
        Reason.POLICY,
        step.text,
        str(port or ""),
        _direction(dropped, port),
        str(step.stage),
        step.place,
        step.group,
        step.rule_id,
    )


def _other(dropped: Dropped, reason: Reason, text: str) -> DropRecord:
    port = _port(dropped)
    return DropRecord(
        dropped.time,
        dropped.vpc,
        dropped.packet,
        _name(dropped.incoming),
        _name(dropped.outgoing),
        reason,
        text,
        str(port or ""),
        _direction(dropped, port),
    )


def _port(dropped: Dropped) -> Port | None:
    return next((end for end in (dropped.incoming, dropped.outgoing) if isinstance(end, Port)), None)


def _direction(dropped: Dropped, port: Port | None) -> str:
    if port is None:
        return ""
    return "out" if port == dropped.incoming else "in"


def _name(end: Port | str) -> str:
    return str(end)
