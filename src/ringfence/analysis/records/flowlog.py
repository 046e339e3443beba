"""Flow logs: what went through each port in a window of time, in the field orders of both clouds (SEMANTICS.md 7.1).

Each record ends with what neither cloud tells: the rule that decided, its group and its stage. What a field would hold
that there is nothing for is ``-``, as with them. Ids that a world does not have are its names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ringfence.analysis.records.drops import DropRecord, Reason
from ringfence.errors import NotationError
from ringfence.model.address import Address
from ringfence.model.connection import Connection
from ringfence.model.flow import Flow
from ringfence.model.packet import ACK, FIN, PSH, RST, SYN, URG
from ringfence.model.rule import Action, Direction
from ringfence.model.service import TCP
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.policy.verdict import Stage, Step

_NOTHING = "-"


class Status(StrEnum):
    """Whether a window's records are whole."""

    OK = "OK"
    NODATA = "NODATA"
    """Nothing went through the port."""
    SKIPDATA = "SKIPDATA"
    """Something may have that no record tells of: there was more than is recorded."""


class Outcome(StrEnum):
    """What became of the packets."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"


class FlowKey(NamedTuple):
    """What makes packets one record: same port, direction, headers and decision."""

    port: str
    direction: str
    """``in`` or ``out``, seen from the port."""
    source: Address
    destination: Address
    protocol: int
    source_port: int | None
    destination_port: int | None
    outcome: Outcome
    rule_id: str = ""
    group: str = ""
    stage: str = ""
    """The stage that decided; where no rule did, the reason of the drop."""


class Count(NamedTuple):
    """Packets, their bytes, and the TCP flags that were among them."""

    packets: int
    bytes: int
    tcp_flags: int = 0

    def plus(self, other: Count) -> Count:
        """Both together."""
        return Count(self.packets + other.packets, self.bytes + other.bytes, self.tcp_flags | other.tcp_flags)


NO_PACKETS = Count(0, 0)


class Window(NamedTuple):
    """From when to when, in seconds since 1970."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FlowRecord:
    """A line of the flow log; without ``key`` it says only that there is nothing, or that something is missing."""

    window: Window
    port: Port
    status: Status
    key: FlowKey | None = None
    count: Count = NO_PACKETS

    def as_json(self) -> dict[str, object]:
        """For programs."""
        key, start = self.key, {"window": [self.window.start, self.window.end], "port": str(self.port)}
        if key is None:
            return {**start, "status": str(self.status)}
        return {
            **start,
            "status": str(self.status),
            "vpc": self.port.vpc,
            "direction": key.direction,
            "source": str(key.source),
            "source_port": key.source_port,
            "destination": str(key.destination),
            "destination_port": key.destination_port,
            "protocol": key.protocol,
            "packets": self.count.packets,
            "bytes": self.count.bytes,
            "tcp_flags": self.count.tcp_flags,
            "action": str(key.outcome),
            "rule_id": key.rule_id or None,
            "group": key.group or None,
            "stage": key.stage or None,
        }


Observed = tuple[FlowKey, Count]
"""Packets that went through a port, or were dropped there."""


def of_drop(record: DropRecord) -> Iterator[Observed]:
    """The packet of a drop record, at the port whose gate dropped it; nothing where no port was concerned."""
    if record.port:
        packet = record.packet
        stage = record.stage if record.reason is Reason.POLICY else str(record.reason)
        ends = (packet.source, packet.destination, packet.protocol, packet.source_port, packet.port)
        decided = (Outcome.REJECT, record.rule_id, record.group, stage)
        yield FlowKey(record.port, record.direction, *ends, *decided), Count(1, packet.length, packet.tcp_flags)


def of_connection(policy: Policy, connection: Connection, sent: Count, answered: Count) -> Iterator[Observed]:
    """What a connection has carried, at those of its two ports that are in the VPC which remembers it.

    The rule is the one that lets such a connection begin now. There is none if none does any more.
    """
    flow = _flow(policy.world, connection)
    if flow is None:
        return
    steps = policy.evaluate(flow).steps
    for end, stage in ((flow.source, Stage.EGRESS), (flow.destination, Stage.INGRESS)):
        port = policy.world.port_at(end)
        if port is None or port.vpc != connection.vpc:
            continue
        step = next((it for it in steps if it.stage is stage and it.action is Action.ALLOW), None)
        for count, way in ((sent, flow), (answered, flow.back)):
            if count.packets:
                yield _key(port, way, end is way.source, step), count


def _flow(world: World, connection: Connection) -> Flow | None:
    source, destination = (world.seen_from(connection.vpc, it) for it in (connection.source, connection.destination))
    try:
        return connection.flow(source, destination)
    except NotationError:  # ICMP over IPv6, ICMPv6 over IPv4
        return None


def _key(port: Port, way: Flow, outward: bool, step: Step | None) -> FlowKey:
    direction = Direction.EGRESS if outward else Direction.INGRESS
    ends = (way.source.address, way.destination.address, way.service.number, way.source_port, way.service.port)
    decided = (step.rule_id, step.group, str(step.stage)) if step else ()
    return FlowKey(str(port), direction.word, *ends, Outcome.ACCEPT, *decided)


def records(
    window: Window, observed: Iterable[Observed], ports: Iterable[Port], skipped: Collection[str] = ()
) -> list[FlowRecord]:
    """The records of a window, port by port; ``skipped`` names the VPCs in which something was not recorded."""
    counts: dict[str, dict[FlowKey, Count]] = {}
    for key, count in observed:
        of_port = counts.setdefault(key.port, {})
        of_port[key] = of_port[key].plus(count) if key in of_port else count
    return [record for port in ports for record in _of_port(window, port, counts.get(str(port), {}), skipped)]


def _of_port(
    window: Window, port: Port, counts: Mapping[FlowKey, Count], skipped: Collection[str]
) -> Iterator[FlowRecord]:
    for key in sorted(counts, key=_order):
        yield FlowRecord(window, port, Status.OK, key, counts[key])
    if port.vpc in skipped:
        yield FlowRecord(window, port, Status.SKIPDATA)
    elif not counts:
        yield FlowRecord(window, port, Status.NODATA)


def _order(key: FlowKey) -> tuple[object, ...]:
    return tuple(-1 if part is None else part for part in key)


def huawei(record: FlowRecord, _: World) -> str:
    """A record in Huawei Cloud's field order, and ours behind it."""
    key, window = record.key, record.window
    fields: list[object] = [1, None, record.port]
    fields += [key.source, key.destination, key.source_port, key.destination_port, key.protocol] if key else [None] * 5
    fields += [record.count.packets, record.count.bytes] if key else [None, None]
    fields += [window.start, window.end, key.outcome if key else None, record.status]
    return _line(fields, key)


def alibaba(record: FlowRecord, world: World) -> str:
    """A record in Alibaba Cloud's field order, and ours behind it."""
    key, window, port = record.key, record.window, record.port
    fields: list[object] = [1, port.subnet, port.instance, port.vpc, _account(world, port), port, None]
    fields += [key.source, key.source_port, key.destination, key.destination_port] if key else [None] * 4
    fields += [key.protocol, key.direction, record.count.packets, record.count.bytes] if key else [None] * 4
    fields += [window.start, window.end, record.status, key.outcome if key else None]
    fields += [_flags(record.count.tcp_flags) if key and key.protocol == TCP else None, None, None, None]
    return _line(fields, key)


def _account(world: World, port: Port) -> str | None:
    accounts = {world.groups[name].account for name in port.groups} - {""}
    return accounts.pop() if len(accounts) == 1 else None


def _flags(seen: int) -> int:
    """Only an ACK to a SYN is told (SEMANTICS.md 7.1: SYN-ACK is 18)."""
    told = seen & (FIN | SYN | RST | PSH | URG)
    return told | ACK if told & SYN and seen & ACK else told


def _line(fields: Iterable[object], key: FlowKey | None) -> str:
    ours = (key.rule_id, key.group, key.stage) if key else ()
    words = [_NOTHING if field is None else str(field) for field in fields]
    return " ".join([*words, *(word or _NOTHING for word in (*ours, *[""] * (3 - len(ours))))])


_OURS = "rule-id group stage"
HUAWEI_FIELDS = (
    "version project-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    f" log-status {_OURS}"
)
"""The names of the fields of `huawei`."""
ALIBABA_FIELDS = (
    "version vswitch-id vm-id vpc-id account-id eni-id region srcaddr srcport dstaddr dstport protocol direction"
    f" packets bytes start end log-status action tcp-flags traffic_path srctype dsttype {_OURS}"
)
"""The names of the fields of `alibaba`."""

Writer = Callable[[FlowRecord, World], str]
