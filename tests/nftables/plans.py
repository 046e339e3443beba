"""Plans for the tests of the nftables driver."""

from __future__ import annotations

import random
from collections.abc import Mapping

from ringfence.compile.plan import VpcPlan, compile_world
from ringfence.model.profile import ALIBABA, HUAWEI
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
    return compile_world(build(HUAWEI, ports, {**GROUPS, **groups})).vpcs["main"]


def history(seed: int, length: int) -> list[VpcPlan]:
    """Plans of one VPC as it changes: groups, rules, memberships, switches and now and then all of its ports."""
    chance = random.Random(seed)
    profile = chance.choice([HUAWEI, ALIBABA])
    return [
        compile_world(random_world(chance, profile)).vpcs[chance.choice(["shop", "shop", "ops"])] for _ in range(length)
    ]
