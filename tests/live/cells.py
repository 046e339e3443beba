"""One world, one edit of its file a cell, and which of its live connections that cuts (SEMANTICS.md 3.3).

The same table is judged by the model alone in ``tests/policy/test_live.py``, and by packets in
``test_changes.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from ringfence import worldfile
from ringfence.model.address import Family
from ringfence.model.connection import Connection
from ringfence.model.flow import Endpoint, Flow, Query
from ringfence.model.service import GRE, ICMP, ICMPV6, TCP, UDP, Protocol, Service
from ringfence.model.world import World

TEXT = """
profile: {profile}
switches: {{{switches}}}
vpcs:
  shop:
    border: [in deny all from banned to any, in deny all from banned6 to any]
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      web: {{cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64", acl: edge}}
      db: {{cidr: 10.0.2.0/24, cidr6: "fd00:10:0:2::/64"}}
acls:
  edge:
    vpc: shop
    rules:
      - in deny all from blocked to any
      - in deny all from blocked6 to any
      - in allow all from any to any
      - out allow all from any to any
port_lists:
  extra-ports: [1]
address_groups:
  blocked: [198.51.100.98]
  blocked6: ["2001:db8:7::98"]
  banned: [198.51.100.99]
  banned6: ["2001:db8:7::99"]
  office: [203.0.113.9]
  office6: ["2001:db8::9"]
groups:
  sg-web:
    vpc: shop
    intra_group: drop
    rules:
      - in allow all from any priority 50
      - out allow all to any priority 50
  sg-db:
    vpc: shop
    intra_group: drop
    rules:
      - in allow all from group sg-web
      - in allow all from office
      - in allow all from office6
      - in allow all from 10.0.2.31/32
      - in allow all from fd00:10:0:2::31/128
      - out allow all to any
  sg-plain:
    vpc: shop
    intra_group: drop
    rules: [out allow all to any priority 50]
  sg-extra:
    vpc: shop
    intra_group: drop
    rules: [in allow tcp extra-ports from any]
instances:
  web-1: {{subnet: web, ip: 10.0.1.11, ip6: "fd00:10:0:1::11", groups: [sg-web, sg-extra]}}
  web-2: {{subnet: web, ip: 10.0.1.12, ip6: "fd00:10:0:1::12", groups: [sg-web]}}
  db-1: {{subnet: db, ip: 10.0.2.21, ip6: "fd00:10:0:2::21", groups: [sg-db]}}
  spare: {{subnet: db, ip: 10.0.2.31, ip6: "fd00:10:0:2::31", groups: [sg-plain]}}
virtual_ips:
  shared: {{subnet: web, ip: 10.0.1.100, ip6: "fd00:10:0:1::100", ports: [web-1, web-2], active: web-1}}
outside:
  laptop: [203.0.113.9, "2001:db8::9"]
"""

FLOWS = {
    "in": ("laptop", "web-1"),
    "out": ("web-2", "laptop"),
    "peer": ("web-1", "db-1"),
    "admin": ("laptop", "db-1"),
    "app": ("spare", "db-1"),
    "vip": ("laptop", "shared"),
}
"""Live connections by name: who began it, and with whom. Each is tried over each protocol and family."""

PROTOCOLS = {"tcp": (TCP, TCP), "udp": (UDP, UDP), "icmp": (ICMP, ICMPV6), "gre": (GRE, GRE)}
"""Protocol numbers by name, on IPv4 and on IPv6."""

_WEB_IN = "in allow all from any priority 50"
_WEB_1 = "groups: [sg-web, sg-extra]"
_INBOUND = "in vip peer admin app"


class Edit(NamedTuple):
    """A text of the world file, and what takes its place."""

    old: str
    new: str


def _after(line: str, more: str) -> Edit:
    return Edit(line, f"{line}\n      - {more}")


@dataclass(frozen=True)
class Cell:
    """A kind of change, and the connections that it cuts: with `clear_inbound`, and with `rejudge`.

    ``always`` are those cut in every mode and without a hold; ``silent`` those whose packets are dropped one by one,
    though nothing is cut, where every packet is judged: by what each profile judges that way.
    """

    name: str
    edits: tuple[Edit, ...]
    clear_inbound: str
    rejudge: str
    always: str = ""
    silent: str = ""
    silent_if_stateless: str = ""
    switches: str = ""
    rewires: bool = False
    """Whether it changes more than policy."""

    def before(self, profile: str, switches: str = "") -> World:
        """The world as it was."""
        return _parse(self._text(profile, switches))

    def after(self, profile: str, switches: str = "") -> World:
        """The world as it is then."""
        text = self._text(profile, switches)
        for old, new in self.edits:
            assert text.count(old) == 1, f"{self.name}: {old!r} stands {text.count(old)} times in the world"
            text = text.replace(old, new)
        return _parse(text)

    def _text(self, profile: str, switches: str) -> str:
        return TEXT.format(profile=profile, switches=", ".join(filter(None, (self.switches, switches))))

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


CELLS = (
    Cell("rule added", (_after(_WEB_IN, "in allow tcp 9999 from any"),), "in vip", ""),
    Cell("rule added that denies", (_after(_WEB_IN, "in deny all from any priority 1"),), "in vip", "in vip"),
    Cell("outbound rule added that denies", (_after(_WEB_IN, "out deny all to any priority 1"),), "in vip", "out peer"),
    Cell("rule modified", (Edit(_WEB_IN, "in allow all from any priority 40"),), "in vip", ""),
    Cell(
        "rule modified so that it allows less",
        (Edit(_WEB_IN, "in allow all from 198.51.100.0/24 priority 50"),),
        "in vip",
        "in vip",
    ),
    Cell("rule deleted", (Edit(f"- {_WEB_IN}\n      ", ""),), "in vip", "in vip"),
    Cell("rule disabled", (Edit(_WEB_IN, f"{_WEB_IN} disabled"),), "in vip", "in vip"),
    Cell("disabled rule added", (_after(_WEB_IN, "in deny all from any priority 1 disabled"),), "", ""),
    Cell("rule described", (Edit(_WEB_IN, f'{_WEB_IN} "web"'),), "", ""),
    Cell(
        "intra-group policy",
        (Edit("sg-web:\n    vpc: shop\n    intra_group: drop", "sg-web:\n    vpc: shop\n    intra_group: accept"),),
        "in vip",
        "",
    ),
    Cell("member comes", (Edit("[sg-plain]", "[sg-plain, sg-web]"),), "in vip app", ""),
    Cell("member goes", (Edit("groups: [sg-web]}", "groups: [sg-plain]}"),), "in vip", ""),
    Cell("member with connections goes", (Edit(_WEB_1, "groups: [sg-plain]"),), "in vip peer", "in vip peer"),
    Cell(
        "entry added to an address group", (Edit("[203.0.113.9]", "[203.0.113.9, 198.51.100.7]"),), "peer admin app", ""
    ),
    Cell(
        "entry of an address group replaced",
        (Edit("[203.0.113.9]\n", "[198.51.100.7]\n"), Edit('["2001:db8::9"]\n', '["2001:db8::7"]\n')),
        "peer admin app",
        "admin",
    ),
    Cell("entry added to a port list", (Edit("extra-ports: [1]", "extra-ports: [1, 9999]"),), "in vip", ""),
    Cell("groups in another order", (Edit(_WEB_1, "groups: [sg-extra, sg-web]"),), "", ""),
    Cell(
        "groups in another order that counts",
        (Edit(_WEB_1, "groups: [sg-extra, sg-web]"),),
        "in vip",
        "",
        switches="group_order: sequence",
    ),
    Cell(
        "ACL edited",
        (Edit("in allow all from any to any", "in deny all from any to any"),),
        "",
        "",
        silent_if_stateless="in vip out peer",
    ),
    Cell(
        "entry added to an address group that an ACL names",
        (Edit("[198.51.100.98]", "[203.0.113.9]"), Edit('["2001:db8:7::98"]', '["2001:db8::9"]')),
        "",
        "",
        silent_if_stateless="in vip out",
    ),
    Cell(
        "entry added to an address group that a stateful ACL names",
        (Edit("[198.51.100.98]", "[203.0.113.9]"), Edit('["2001:db8:7::98"]', '["2001:db8::9"]')),
        "",
        "in vip",
        switches="acl_stateful: true",
    ),
    Cell(
        "entry added to an address group that the border names",
        (Edit("[198.51.100.99]", "[203.0.113.9]"), Edit('["2001:db8:7::99"]', '["2001:db8::9"]')),
        "",
        "in vip admin",
    ),
    Cell("ACL dissociated", (Edit(", acl: edge", ""),), "", ""),
    Cell(
        "border closed",
        (Edit("border: [", "border: [in deny all from any to any, "),),
        "",
        "in vip admin",
    ),
    Cell(
        "penalty",
        (Edit("outside:\n", "blocks: {web-1: abuse}\noutside:\n"),),
        "",
        "in vip peer",
        silent="in vip peer",
    ),
    Cell("switch that blocks", (Edit("switches: {", "switches: {blocked_egress: [tcp/26], "),), _INBOUND, ""),
    Cell("virtual IP moves", (Edit("active: web-1", "active: web-2"),), "", "", always="vip", rewires=True),
    Cell(
        "instance removed",
        (Edit('  db-1: {subnet: db, ip: 10.0.2.21, ip6: "fd00:10:0:2::21", groups: [sg-db]}\n', ""),),
        "",
        "",
        always="peer admin app",
        rewires=True,
    ),
)


@cache
def _parse(text: str) -> World:
    return worldfile.parse(text, "cell")


def flow(
    world: World, name: str, protocol: str, family: Family, source_port: int | None = None, port: int = 80
) -> Flow:
    """The flow of a live connection."""
    number = PROTOCOLS[protocol][family is Family.IPV6]
    ported = Protocol(number).has_ports
    service = Service(Protocol(number), port if ported else None)
    source, destination = FLOWS[name]
    return world.flow(Query.of(source, destination, service, family, source_port if ported else None))


def connection(world: World, name: str, protocol: str, family: Family) -> Connection:
    """A live connection, as the table of VPC ``shop`` has it."""
    found = flow(world, name, protocol, family)
    numbers = {"tcp": (40000, 80), "udp": (40000, 80), "icmp": (77, 0x800 if family is Family.IPV4 else 0x8000)}
    ends: tuple[Endpoint, Endpoint] = (found.source, found.destination)
    source, destination = (end.address for end in ends)
    return Connection("shop", found.service.number, source, destination, *numbers.get(protocol, (0, 0)), answered=True)
