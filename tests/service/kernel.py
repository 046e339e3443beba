"""What the kernel holds, told by a driver that remembers nothing."""

from __future__ import annotations

from ringfence.backends.netns import NAMESPACES
from ringfence.backends.nftables.driver import Driver
from ringfence.compile.compiler import compile_world
from ringfence.model.world import World
from tests.agent.places import TABLE


def wrong(prefix: str, world: World) -> list[str]:
    """What is not as a compilation from scratch says, in the VPCs that have a namespace."""
    found = []
    for vpc, plan in compile_world(world).vpcs.items():
        if (NAMESPACES / (prefix + vpc)).exists():
            driver = Driver(prefix + vpc, TABLE)
            found += [f"{vpc}: {command}" for command in driver.audit(plan)]
            driver.close()
    return found
