"""Plans for the tests of the nftables driver."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from ringfence.compile.boxes import ANY_CLASS, ANY_PORT, ANY_PROTOCOL, Box, Kind
from ringfence.compile.compiler import compile_world
from ringfence.compile.plan import VpcPlan
from ringfence.model.address import Family
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.rule import Action, Direction
from tests.nftables.whole import VPC, WHOLE, edited
from tests.policy.build import build
from tests.worlds import random_world

GROUPS: Mapping[str, str] = {
    "web": "in allow tcp 80,443 from any; in deny tcp 80 from 203.0.113.0/24; in allow icmp from any; "
    "in allow udp 1,3,5,7,9,11,13,15,17,19 from 10.0.0.0/24; out allow all to any",
    "db": "in allow tcp 3306 from group web; in deny all from 10.0.0.0/8 priority 2; out allow all to any",
}
"""Two groups with every shape of layer: few boxes (plain rules), many (a map), one upon another, of both families."""


def plan_of(ports: str = "a: web; b: web; c: db; d: web db", **groups: str) -> VpcPlan:
    """The plan of VPC ``main`` in a world in few words; ``groups`` stand beside or in place of `GROUPS`."""
    return compile_world(build(HUAWEI, ports, {**GROUPS, **groups})).vpcs[VPC]


def whole_plan() -> VpcPlan:
    """The plan of `WHOLE`."""
    return compile_world(WHOLE).vpcs[VPC]


def history(seed: int, length: int) -> list[VpcPlan]:
    """Plans of one VPC as it changes: a few small edits from each to the next, or everything but its name."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        steps = islice(edited(WHOLE, chance), 3 * length)
        return [compile_world(world).vpcs[VPC] for number, (_, world) in enumerate(steps) if number % 3 == 2]
    profile = chance.choice([HUAWEI, ALIBABA])
    return [
        compile_world(random_world(chance, profile)).vpcs[chance.choice(["shop", "shop", "ops"])] for _ in range(length)
    ]


def everything(kind: Kind, rule_id: str) -> Box:
    """A box of all packets of a kind, which are denied."""
    everywhere = (0, kind.family.top)
    return Box(ANY_CLASS, everywhere, ANY_PROTOCOL, ANY_PORT, everywhere, ANY_PORT, Action.DENY, rule_id)


def overlapping(plan: VpcPlan) -> VpcPlan:
    """The plan with boxes of one layer overlapping, which no compiled plan has: no kernel takes it."""
    (first, *others), kind = plan.classes, Kind(Family.IPV4, True)
    layers = first.gates[Direction.INGRESS][kind]
    some = everything(kind, "")._replace(addresses=(0, 9), protocols=(6, 6))
    boxes = tuple(some._replace(ports=(port, port + 1), rule_id=f"r{port}") for port in range(20))
    gate = {**first.gates[Direction.INGRESS], kind: (boxes, *layers)}
    broken = replace(first, gates={**first.gates, Direction.INGRESS: gate})
    return replace(plan, classes=(broken, *others))
