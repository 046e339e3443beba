"""A large policy: ``python -m tests.nftables.large`` has the kernel take one and give it back. Root only."""

from __future__ import annotations

import sys
import time

from ringfence import garbage
from ringfence.compile.compiler import compile_world
from ringfence.model.address import Address, Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.profile import HUAWEI
from ringfence.model.rule import Rule
from ringfence.model.topology import Instance, Peering, Port, Subnet, Vpc
from ringfence.model.world import World, by_name
from tests.nftables.kernel import new_kernel

PORTS, MEMBERS = 10_000, 50_000


def large_world(ports: int, members: int = 0) -> World:
    """So many dual-stack ports in VPC ``v``, in 100 groups that name each other; what is left of the members, near."""
    rules = "in allow tcp {0} from 10.{0}.0.0/16; in allow tcp 22 from group g{1}; out allow all to any"
    groups = [
        SecurityGroup(f"g{n}", tuple(map(Rule.parse, rules.format(n + 1, (n + 1) % 100).split("; "))))
        for n in range(100)
    ]
    vpcs = [_vpc("v", "10.0.0.0/8", "fd00::/56"), _vpc("w", "172.16.0.0/12", "fd01::/56")]
    made = [*_instances(vpcs[0], ports), *_instances(vpcs[1], max(0, members - ports))]
    peerings = [Peering("bridge", ("v", "w"))]
    return World(HUAWEI, by_name(vpcs), groups=by_name(groups), instances=by_name(made), peerings=by_name(peerings))


def _vpc(name: str, cidr: str, cidr6: str) -> Vpc:
    space, space6 = Prefix.parse(cidr), Prefix.parse(cidr6)
    net = Subnet("net", name, space, Prefix(space6.family, space6.network, 64))
    return Vpc(name, HUAWEI, (space, space6), {"net": net})


def _instances(vpc: Vpc, count: int) -> list[Instance]:
    return [Instance(f"{vpc}{n}", (_port(vpc.subnets["net"], n),)) for n in range(count)]


def _port(net: Subnet, number: int) -> Port:
    addresses = tuple(Address(it.family, it.network + 10 + number) for it in net.prefixes)
    return Port(f"{net.vpc}{number}", "eth0", net.name, net.vpc, addresses, (f"g{number % 100}",))


def main() -> int:
    """Enforce it, change it and read it back; print how long each took."""
    with garbage.paused(), new_kernel() as kernel:
        driver = kernel.driver()
        for more in (0, 1):
            plan = compile_world(large_world(PORTS + more, MEMBERS + more)).vpcs["v"]
            began = time.monotonic()
            count = driver.apply(plan)
            print(
                f"{PORTS + more} ports, {MEMBERS + more} members: {count} commands in {time.monotonic() - began:.1f} s",
                flush=True,
            )
        began = time.monotonic()
        found = kernel.driver().audit(plan)
        print(f"read back in {time.monotonic() - began:.1f} s, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
