"""Worlds for the tests of the lab, and what they look at."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from ringfence import worldfile
from ringfence.backends.netns import NAMESPACES, inside
from ringfence.lab.lab import Lab
from ringfence.lab.names import RUN, LabNames
from ringfence.lab.netns import named
from ringfence.model.address import Family
from ringfence.model.flow import Flow, Query
from ringfence.model.service import Service
from ringfence.model.world import World

SHOP = """
profile: huawei
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      web: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}
      db: {cidr: 10.0.2.0/24, cidr6: "fd00:10:0:2::/64"}
groups:
  sg-web:
    rules:
      - in allow tcp 80 from any
      - in allow icmp from any
      - in allow icmpv6 from any
      - out allow all to any
  sg-db:
    rules:
      - in allow tcp 3306 from group sg-web
      - in allow udp 53 from group sg-web
      - in allow gre from group sg-web
      - in allow 132 from group sg-web
      - in allow 99 from group sg-web
      - out allow all to any
instances:
  web-1: {subnet: web, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [sg-web], serve: [tcp/80]}
  web-2: {subnet: web, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: [sg-web]}
  db-1:
    subnet: db
    ip: 10.0.2.21
    ip6: "fd00:10:0:2::21"
    groups: [sg-db]
    serve: [tcp/3306, udp/53, tcp/6379@127.0.0.1]
outside:
  laptop: [203.0.113.9, "2001:db8::9"]
expect:
  - web-1 -> db-1 tcp/3306 allow
  - web-1 -> db-1 udp/53 over ipv6 allow
  - laptop -> db-1 tcp/3306 deny
  - laptop -> web-1 icmp allow
  - web-1 -> 192.0.2.7 tcp/443 allow
"""


def world(text: str = SHOP) -> World:
    return worldfile.parse(text, "test")


def flow(of: World, text: str, family: Family = Family.IPV4) -> Flow:
    """``web-1 -> db-1 tcp/3306``; icmp is of the family."""
    query = Query.parse(text)
    return of.flow(Query.of(query.source, query.destination, query.service, family))


def service(text: str) -> Service:
    return Service.parse(text)


def nft(namespace: str, text: str) -> None:
    with inside(namespace):
        subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def handmade(lab: Lab, rules: str, vpc: str = "shop") -> None:
    """Rules in the forward hook of a VPC's namespace, before the driver's table."""
    body = rules.replace(";", "\n")
    chain = f"chain f {{\ntype filter hook forward priority -10; policy accept;\n{body}\n}}"
    nft(lab.names.vpc(vpc), f"table inet handmade {{\n{chain}\n}}\n")


def remains(name: str) -> list[str]:
    """What is left of a lab: namespaces, files, and programs of any lab whose namespace has no name any more."""
    names = LabNames(name)
    files = [str(path) for path in (names.directory, names.lock) if path.exists()]
    return [*named(names.prefix), *files, *_stray_listeners()]


def _stray_listeners() -> list[str]:
    """Programs of labs in namespaces without a name. Other tests make and take away labs while we look.

    A lab names a namespace before a program starts in it and ends the program before it takes the name away: a
    program is astray when it still runs after the names were read and found without its namespace.
    """
    return [f"process {pid}" for pid in filter(str.isdigit, os.listdir("/proc")) if _is_astray(Path("/proc", pid))]


def _is_astray(process: Path) -> bool:
    try:
        command = (process / "cmdline").read_bytes()
        if b"/ringfence/lab/listener.py" not in command and b"ringfence.lab.watcher" not in command:
            return False
        home = (process / "ns/net").stat()
        return (home.st_dev, home.st_ino) not in _homes() and (process / "cmdline").read_bytes() == command
    except OSError:  # it ended while we looked
        return False


def _homes() -> set[tuple[int, int]]:
    """Device and inode of every namespace that has a name."""
    homes = set()
    for entry in NAMESPACES.iterdir():
        with suppress(FileNotFoundError):  # another test's, taken away meanwhile
            found = entry.stat()
            homes.add((found.st_dev, found.st_ino))
    return homes


def links() -> set[str]:
    """The links of the namespace that we are in."""
    return set(os.listdir("/sys/class/net"))


def lab_files() -> set[str]:
    return {entry.name for entry in RUN.iterdir()} if RUN.exists() else set()
