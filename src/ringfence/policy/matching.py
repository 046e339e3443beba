"""What a line of a decision list asks of a packet: the one place where lines and packets are compared.

`evaluate` asks whether all of it holds; who explains asks what does not (SEMANTICS.md 2.3, section 5).
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from ringfence.model.address import Address, Family, Prefix
from ringfence.model.flow import Flow
from ringfence.model.rule import AddressGroupRemote, AnyRemote, GroupRemote, NicType, Remote
from ringfence.model.topology import Port, Subnet, Vpc
from ringfence.model.world import World
from ringfence.policy.decisions import Decision


class Respect(StrEnum):
    """In what a packet may differ from a line."""

    PROTOCOL = "protocol"
    FAMILY = "family"
    PORT = "port"
    SOURCE_PORT = "source-port"
    LOCAL = "own-address"
    """The address at the line's own side: the guarded port's, or the one in the subnet."""
    REMOTE = "remote"


# Under names of their own: to look one up in its class takes longer than to compare a protocol.
_PROTOCOL, _FAMILY, _PORT, _SOURCE_PORT, _LOCAL, _REMOTE = Respect


class End(NamedTuple):
    """One end of a flow: whose it is, as far as the world knows.

    ``vpc`` is also set where the address lies in the VPC's space and no port has it.
    """

    address: Address
    port: Port | None
    vpc: Vpc | None
    subnet: Subnet | None
    """The port's."""


class Asked(NamedTuple):
    """What lines are compared with: a flow, and the end of it at which it is judged."""

    world: World
    flow: Flow
    near: End
    far: End
    number: int
    """The flow's protocol."""
    family: Family

    @classmethod
    def of(cls, world: World, flow: Flow, near: End, far: End) -> Asked:
        """Put one together."""
        return cls(world, flow, near, far, flow.service.number, flow.family)


def misses(decision: Decision, asked: Asked) -> tuple[Respect, ...]:
    """All in which a flow differs from a line; nothing if the line matches."""
    found: list[Respect] = []
    while respect := missed(decision, asked, found):
        found.append(respect)
    return tuple(found)


def missed(decision: Decision, asked: Asked, known: Collection[Respect] = ()) -> Respect | None:
    """The first respect in which a flow differs from a line, but for those that are ``known``; None if there is none.

    Every packet of every question comes through here, so it asks for the cheapest first and stops there.
    """
    if not decision.protocol.covers(asked.number) and _PROTOCOL not in known:
        return _PROTOCOL
    if asked.family not in decision.protocol.families and _FAMILY not in known:
        return _FAMILY
    if not asked.flow.goes_to(decision.ports) and _PORT not in known:
        return _PORT
    if decision.source_ports and not asked.flow.comes_from(decision.source_ports) and _SOURCE_PORT not in known:
        return _SOURCE_PORT
    if not _is_side(asked.world, decision.local, asked.near.address) and _LOCAL not in known:
        return _LOCAL
    if not _is_remote(decision, asked) and _REMOTE not in known:
        return _REMOTE
    return None


def _is_remote(decision: Decision, asked: Asked) -> bool:
    """Whether the far end is meant; a group means its members' own addresses (SEMANTICS.md section 5)."""
    near, far = asked.near, asked.far
    if not isinstance(decision.remote, GroupRemote):
        return _is_side(asked.world, decision.remote, far.address)
    if not (near.vpc and far.vpc and far.port) or far.address not in far.port.addresses:
        return False
    return (
        is_within(asked.world, near.vpc, far.vpc, own=decision.own_vpc)
        and asked.world.nic_of(far.port) is NicType.INTRANET
        and decision.remote.name in far.port.groups
    )


def is_within(world: World, near: Vpc, far: Vpc, *, own: bool = False) -> bool:
    """Whether a group that a rule in one VPC names may mean its members in another; ``own`` is only the same VPC."""
    return far is near or (near.profile.peer_references and not own and world.peering(near.name, far.name) is not None)


def _is_side(world: World, side: Remote, address: Address) -> bool:
    if isinstance(side, Prefix):
        return address in side
    if isinstance(side, AddressGroupRemote):
        return any(address in entry for entry in world.address_groups[side.name].entries)
    return isinstance(side, AnyRemote)
