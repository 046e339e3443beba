"""What the platform blocks, whatever a tenant's rules say (SEMANTICS.md 4.5)."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.flow import Flow
from ringfence.model.rule import Action, content_id
from ringfence.model.topology import Penalty, Port, Vpc
from ringfence.model.world import World
from ringfence.policy.verdict import Stage, Step

BLOCKED_EGRESS = "platform-blocked-egress"
"""The id of the block on what no port may send."""
CARRIER = "platform-carrier"
"""The id of the carriers' block at the internet border."""


def penalty_id(penalty: Penalty) -> str:
    """The id of a penalty, for counters and logs."""
    return content_id("penalty", penalty.target)


def penalty_of(world: World, port: Port) -> Penalty | None:
    """The penalty that cuts a port off, if any; the instance's before the port's own."""
    return world.penalties.get(port.instance) or world.penalties.get(str(port))


def platform_steps(world: World, flow: Flow, source: Port | None, destination: Port | None) -> Iterator[Step]:
    """The blocks that a flow runs into; nothing where there is none."""
    for port in (source, destination):
        if port and (penalty := penalty_of(world, port)):
            text = f"{penalty.target} is cut off by a penalty: {penalty.reason}"
            yield _block(port, penalty_id(penalty), text)
    if source and flow.service in world.vpcs[source.vpc].profile.blocked_egress:
        yield _block(source, BLOCKED_EGRESS, f"no port may send {flow.service}: the platform blocks it")


def carrier_steps(flow: Flow, source: Vpc | None, destination: Vpc | None) -> Iterator[Step]:
    """The carriers' block, where a flow crosses the internet border: one end in a VPC's space, the other in none."""
    inside = source or destination
    if inside and not (source and destination) and flow.service in inside.profile.carrier_blocks:
        text = f"carriers block {flow.service} at the internet border as a high-risk port"
        yield Step(Stage.PLATFORM, Action.DENY, None, "", CARRIER, text, place=inside.name)


def _block(port: Port, rule_id: str, text: str) -> Step:
    return Step(Stage.PLATFORM, Action.DENY, port, "", rule_id, text, place=str(port))
