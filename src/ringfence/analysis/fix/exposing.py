"""Whether a fix would let in anybody, where the question was about one: the house's policy on sources of any kind."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.analysis.fix.asked import Asked
from ringfence.model.address import NOT_UNICAST, Address, AddressRange, Prefix
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.rule import Action, AddressGroupRemote, Remote
from ringfence.policy.verdict import Stage


def exposes(before: Asked, after: Asked) -> bool:
    """Whether the groups of the destination let in a stranger after a fix that they did not let in before.

    That is too much for a risky port, and for a flow from outside: the answer to "may this host" is not "anybody may".
    """
    port = after.port(after.flow.destination)
    if port is None:
        return False
    risky = after.flow.service in after.world.vpcs[port.vpc].profile.risky_ports
    if not risky and before.port(before.flow.source):
        return False
    stranger = _stranger(before, after)
    if stranger is None:
        return False
    was, now = (_lets_in(it, stranger) for it in (before, after))
    return now and not was


def _lets_in(asked: Asked, stranger: Endpoint) -> bool:
    flow = Flow(stranger, asked.flow.destination, asked.flow.service, asked.flow.source_port)
    steps = Asked(asked.world, flow).verdict.steps
    return any(step.stage is Stage.INGRESS and step.action is Action.ALLOW for step in steps)


def _stranger(before: Asked, after: Asked) -> Endpoint | None:
    """An address outside that no rule of the destination's groups tells from others, if there is one."""
    family = before.flow.family
    whole = AddressRange.all(family)
    named = [each for asked in (before, after) for each in _named(asked) if each.family is family and each != whole]
    tries = (Address(family, value) for value in (1 << (family.bits - 8), *(each.last + 1 for each in named)))
    found = (it for it in tries if it.value <= family.top and not any(it in each for each in named))
    return next((Endpoint(it) for it in found), None)


def _named(asked: Asked) -> Iterator[AddressRange]:
    """The addresses that are named by rules of the destination's groups, are in some VPC, or are nobody's."""
    port = asked.port(asked.flow.destination)
    for name in port.groups if port else ():
        for rule in asked.world.groups[name].rules:
            yield from _ranges(asked, rule.remote)
    for vpc in asked.world.vpcs.values():
        yield from (cidr.range for cidr in vpc.cidrs)
    yield from (prefix.range for prefix in NOT_UNICAST)


def _ranges(asked: Asked, side: Remote) -> tuple[AddressRange, ...]:
    if isinstance(side, Prefix):
        return (side.range,)
    return asked.world.address_groups[side.name].entries if isinstance(side, AddressGroupRemote) else ()
