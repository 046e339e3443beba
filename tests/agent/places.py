"""Namespaces for the tests of the agent, and the edits between two worlds."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ringfence.agent.enforcer import Enforcer
from ringfence.agent.namespaces import Namespaces
from ringfence.backends.netns import inside
from ringfence.lab.lab import Lab
from ringfence.lab.netns import set_sysctls
from ringfence.lab.topology import FORWARDING
from ringfence.model.edit import Edit, EntriesChanged, GroupChanged, PortChanged, PortListChanged
from ringfence.model.world import World
from ringfence.policy.change import Change

TABLE = "ringfence"
FOREIGN = """
table inet theirs {
    set known { type ipv4_addr; flags interval; counter; elements = { 10.0.0.0/8 counter packets 7 bytes 420 }; }
    counter told { packets 5 bytes 300; }
    chain late {
        type filter hook postrouting priority 300; policy accept;
        ip saddr @known counter name "told" accept
    }
}
table ip ringfence-too {
    chain nat {
        type nat hook postrouting priority 100;
        ip saddr 192.0.2.1 masquerade
    }
}
table netdev ringfence {
    chain any {
        ip saddr 192.0.2.7 counter packets 9 bytes 81 drop
    }
}
"""
_numbers = itertools.count()


@contextmanager
def bare(*vpcs: str) -> Iterator[str]:
    """Namespaces for some VPCs, in which nothing is; gives what their names begin with."""
    prefix = f"rf-agent-{os.getpid()}-{next(_numbers)}-"
    try:
        for vpc in vpcs:
            subprocess.run(["ip", "netns", "add", prefix + vpc], check=True)
        yield prefix
    finally:
        for name in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout.splitlines():
            if name.startswith(prefix):
                subprocess.run(["ip", "netns", "del", name.split()[0]], check=True)


def unguarded(lab: Lab) -> str:
    """Take a lab's policy away, and leave its wires to somebody else; gives what its VPCs' namespaces begin with."""
    for vpc in lab.world.vpcs:
        set_sysctls(lab.names.vpc(vpc), dict.fromkeys(FORWARDING, 0))
        lab.driver(vpc).remove()
    return lab.names.vpc("")


@contextmanager
def enforcing(fabric: Namespaces) -> Iterator[Enforcer]:
    """An enforcer, as that of a process which ends with the block."""
    enforcer = Enforcer(fabric)
    try:
        yield enforcer
    finally:
        enforcer.close()
        fabric.close()


def nft(namespace: str, *words: str, text: str | None = None) -> str:
    """Run the `nft` program in a namespace."""
    with inside(namespace):
        done = subprocess.run(["nft", *words], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(namespace: str, *tables: str) -> str:
    """Everything of some tables, handles and counts as well."""
    return "".join(nft(namespace, "-a", "list", "table", *table.split()) for table in tables)


def edits_between(before: World, after: World) -> list[Edit]:
    """The single edits that lead from one world to another that has the same things."""
    change = Change.between(before, after)
    assert not change.vpcs | change.acls | change.virtual_ips | change.peerings | change.penalties
    ports = (port for name in sorted(change.instances) for port in after.instances[name].ports)
    return [
        *(PortListChanged(after.port_lists[name]) for name in sorted(change.port_lists)),
        *(GroupChanged(after.groups[name]) for name in sorted(change.groups)),
        *(PortChanged(port) for port in ports if before.port_by_name.get(str(port)) != port),
        *_entries(before, after, change.address_groups),
    ]


def _entries(before: World, after: World, names: Iterable[str]) -> Iterator[Edit]:
    for name in sorted(names):
        old, new = (frozenset(world.address_groups[name].entries) for world in (before, after))
        yield EntriesChanged(name, tuple(sorted(new - old)), tuple(sorted(old - new)))
