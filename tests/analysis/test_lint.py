"""Every check: a world in which it fires, with what it says, and one near it in which it must not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml

from ringfence.analysis.lint.finding import Finding
from ringfence.analysis.lint.registry import CHECKS, lint
from ringfence.analysis.lint.subject import Hits
from ringfence.model.world import World
from ringfence.worldfile.parse import parse

OUT = "out allow all to any"
HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
WEB_SUBNET, DB_SUBNET = "10.0.1.0/24", "10.0.2.0/24"
Parts = Mapping[str, Any]


def world(web: Sequence[Any] = (), db: Sequence[Any] = (), **more: Any) -> World:
    """Two web servers and a database; ``web`` and ``db`` are rules of their groups, besides one for all outbound."""
    subnets: Any = {"web": WEB_SUBNET, "db": DB_SUBNET}
    said: dict[str, Any] = {
        "vpcs": {"shop": {"cidrs": ["10.0.0.0/16"], "subnets": subnets}},
        "groups": {"web": [OUT, *web], "db": [OUT, *db]},
        "instances": {
            "web-1": {"subnet": "shop/web", "ip": "10.0.1.11", "groups": ["web"]},
            "web-2": {"subnet": "shop/web", "ip": "10.0.1.12", "groups": ["web"]},
            "db-1": {"subnet": "shop/db", "ip": "10.0.2.11", "groups": ["db"]},
        },
    }
    for key, value in more.items():
        merged = key in ("groups", "instances", "vpcs")
        said[key] = {**said[key], **value} if merged else value
    return parse(yaml.safe_dump(said, sort_keys=False), "world.yaml")


def alibaba(web: Sequence[Any] = (), db: Sequence[Any] = (), **more: Any) -> World:
    groups = {"web": {"vpc": "shop", "rules": list(web)}, "db": {"vpc": "shop", "rules": list(db)}}
    return world(profile="alibaba", groups={**groups, **more.pop("groups", {})}, **more)


def edge(*lines: str) -> dict[str, Any]:
    """An ACL with these lines at the edge of the web subnet."""
    subnets = {"web": {"cidr": WEB_SUBNET, "acl": "guard"}, "db": DB_SUBNET}
    rules = [*lines, "out allow all from any to any"]
    return {"vpcs": {"shop": {"cidrs": ["10.0.0.0/16"], "subnets": subnets}}, "acls": {"guard": {"rules": rules}}}


def dual(**more: Any) -> dict[str, Any]:
    """The web subnet in both families, and a web server with an address of each."""
    subnets = {"web": {"cidr": WEB_SUBNET, "cidr6": "fd00:10:0:1::/64"}, "db": DB_SUBNET}
    cidrs = ["10.0.0.0/16", "fd00:10::/48"]
    web_1 = {"subnet": "shop/web", "ip": "10.0.1.11", "ip6": "fd00:10:0:1::b", "groups": ["web"]}
    return {"vpcs": {"shop": {"cidrs": cidrs, "subnets": subnets}}, "instances": {"web-1": web_1}, **more}


def classic(rule: str) -> World:
    subnets = {"in": {"cidr": "10.0.1.0/24", "nic": "intranet"}, "out": {"cidr": "198.18.0.0/24", "nic": "internet"}}
    ports = {"a": {"subnet": "old/in", "ip": "10.0.1.11", "groups": ["g"]}}
    said = {
        "profile": "alibaba",
        "vpcs": {"old": {"cidrs": ["10.0.0.0/16", "198.18.0.0/24"], "network": "classic", "subnets": subnets}},
        "groups": {"g": {"vpc": "old", "rules": [rule]}},
        "instances": {"one": {"ports": ports}},
    }
    return parse(yaml.safe_dump(said), "world.yaml")


def other_vpc(**more: Any) -> dict[str, Any]:
    """A VPC beside the shop, with a machine in group far."""
    lab = {"cidrs": ["10.1.0.0/16"], "subnets": {"all": "10.1.1.0/24"}}
    probe = {"subnet": "lab/all", "ip": "10.1.1.11", "groups": ["far"]}
    return {"vpcs": {"shop": SHOP, "lab": lab}, "instances": {"probe": probe}, "groups": {"far": [OUT]} | more}


SHOP = {"cidrs": ["10.0.0.0/16"], "subnets": {"web": WEB_SUBNET, "db": DB_SUBNET}}
PEERED = {"peerings": [{"name": "p", "vpcs": ["shop", "lab"]}]}
BOTH = {"web-1": {"subnet": "shop/web", "ip": "10.0.1.11", "groups": ["web", "db"]}}
SERVING = {"web-1": {"subnet": "shop/web", "ip": "10.0.1.11", "groups": ["web"], "serve": ["tcp/22"]}}
ANY_SSH = "in allow tcp 22 from any to any"
EMPTY: dict[str, Any] = {"none": []}


def tightened(web: Sequence[str]) -> World:
    """A world whose groups may have five rules less than when it was made."""
    found = world(web)
    return replace(found, profile=replace(found.profile, rules_per_group=45))


HIT = {"id": "sgr-1", "direction": "in", "action": "allow", "protocol": "tcp", "ports": "80", "remote": "any"}


SETS = [
    *("in allow tcp 80 from group db", "in allow tcp 90,92 from group web", "in allow tcp 22 from office"),
    *("in allow tcp 22,25,27 from 10.0.0.0/8", "in allow tcp some from any"),
    *("in allow tcp 33,34 from any", "in allow tcp near from any", "in allow udp 9 from group db disabled"),
]
"""Five rules that name or list several things, and three that do not, or are of no force."""
ONE_SET: dict[str, Any] = {"switches": {"set_rules_in_force": 1}}
SET_LISTS: dict[str, Any] = {
    "address_groups": {"office": ["192.0.2.0/24"]},
    "port_lists": {"some": [5000, 5010], "near": ["6000-6001", 6002]},
    "switches": {"set_rules_in_force": 5},
}


def groups_of(count: int) -> list[str]:
    return [f"in allow tcp {1000 + number} from 10.0.0.0/16" for number in range(count)]


@dataclass(frozen=True)
class Row:
    """What a check says of a world: severity, place and words; and a near world of which it says nothing."""

    check: str
    fires: World
    found: Sequence[tuple[str, str, str]]
    near: World
    given: Mapping[str, Any] = field(default_factory=dict)
    """What lint is told besides, in both worlds."""

    def __str__(self) -> str:
        return f"{self.check}: {self.found[0][2]}"


def row(check: str, fires: World, severity: str, place: str, words: str, near: World, **given: Any) -> Row:
    return Row(check, fires, [(severity, place, words)], near, given)


OPEN, RISKY = "all-ports-open", "risky-port-open"
REACHED, STOPPED = "the internet reaches web (2 addresses)", "it does not come through"
ALL = "web: in allow all from any priority 1"
SSH, SSH_RULE = "web: in allow tcp 22 from any priority 1", ["in allow tcp 22 from any"]
OFFICE = "203.0.113.0/24"
DB_1, DB_2 = ({"subnet": "shop/web", "ip": ip, "groups": ["db"]} for ip in ("10.0.1.11", "10.0.1.12"))
NO_PORTS: dict[str, Any] = {"instances": {"web-1": DB_1, "web-2": DB_2}}
PUBLIC = [
    *("1.0.0.0-9.255.255.255", "11.0.0.0-100.63.255.255", "100.128.0.0-126.255.255.255", "128.0.0.0-169.253.255.255"),
    *("169.255.0.0-172.15.255.255", "172.32.0.0-192.167.255.255", "192.169.0.0-223.255.255.255"),
]

ROWS = [
    row(OPEN, world(["in allow all from any"]), "error", ALL, REACHED, world(["in allow all from group db"])),
    row(
        OPEN,
        world(["in allow tcp 1-65535 from 0.0.0.0/0"]),
        *("error", "web: in allow tcp 1-65535 from 0.0.0.0/0 priority 1", "every tcp port is open to 0.0.0.0/0"),
        world(["in allow tcp 1-65534 from 0.0.0.0/0"]),
    ),
    row(
        OPEN,
        world(["in allow all from any"], **edge("in deny all from any to any")),
        *("note", ALL, f"{STOPPED}, by guard: 'in deny all from any to any'"),
        world(["in allow all from any disabled"], **edge("in deny all from any to any")),
    ),
    row(
        OPEN,
        world(["in allow all from any"], **NO_PORTS),
        "note",
        ALL,
        "no port is in the group",
        world(["in deny all from any"]),
    ),
    row(
        OPEN,
        world(["in allow all from any"], **edge(f"in allow all from {OFFICE} to any")),
        *("warning", ALL, f"only {OFFICE}"),
        world(["in allow all from 10.0.0.0/16"], **edge(f"in allow all from {OFFICE} to any")),
    ),
    row(
        RISKY,
        world(SSH_RULE),
        "error",
        SSH,
        "high-risk tcp 22 is open to everybody; the internet reaches",
        world([f"in allow tcp 22 from {OFFICE}"]),
    ),
    row(
        RISKY,
        world(["in allow tcp 20-23 from 0.0.0.0/0"]),
        "error",
        "web: in allow tcp 20-23 from 0.0.0.0/0 priority 1",
        "high-risk tcp 22",
        world(["in allow all from any"]),
    ),
    row(
        RISKY,
        world(["in allow udp 22 from any", *SSH_RULE]),
        "error",
        SSH,
        REACHED,
        world(["in allow udp 22 from any"]),
    ),
    row(
        RISKY,
        world([f"in allow tcp 3380-3390 from {half}" for half in HALVES]),
        *(
            "error",
            "web: in allow tcp 3380-3390 from 0.0.0.0/1 priority 1",
            "open to 0.0.0.0/1, together with 128.0.0.0/1",
        ),
        world(["in allow tcp 3380-3390 from 0.0.0.0/1", "in allow tcp 3380-3388 from 128.0.0.0/1"]),
    ),
    row(
        RISKY,
        world(
            ["in allow tcp 22 from world"],
            address_groups={"world": ["0.0.0.0-99.255.255.255", "100.0.0.0/6", "104.0.0.0-255.255.255.255"]},
        ),
        *("error", "web: in allow tcp 22 from world priority 1", "high-risk tcp 22 is open to world"),
        world(
            ["in allow tcp 22 from world"],
            address_groups={"world": ["0.0.0.0-99.255.255.255", "104.0.0.0-255.255.255.255"]},
        ),
    ),
    row(
        RISKY,
        world(["in allow tcp 22 from public"], address_groups={"public": PUBLIC}),
        *("error", "web: in allow tcp 22 from public priority 1", "high-risk tcp 22 is open to public"),
        world(["in allow tcp 22 from private"], address_groups={"private": ["10.0.0.0/8", "172.16.0.0/12"]}),
    ),
    row(
        RISKY,
        world(["in deny tcp 22 from any", "in allow tcp 22 from any priority 2"]),
        *("note", "web: in allow tcp 22 from any priority 2", f"{STOPPED}, by web: 'in deny tcp 22"),
        world(["in deny tcp 22 from any"]),
    ),
    row(
        RISKY,
        alibaba(["in allow tcp 1433 from any"]),
        *("note", "web: in allow tcp 1433 from any priority 1", "carriers block tcp/1433"),
        world(["in allow tcp 1433 from any"]),
    ),
    row(
        RISKY,
        world(["in allow tcp 22 from ::/0"], **dual()),
        *("error", "web: in allow tcp 22 from ::/0 priority 1", "the internet reaches web-1.eth0"),
        world(["in allow tcp 22 from fd00::/8"], **dual()),
    ),
    row(
        "whole-private-range",
        world(["in allow all from 10.0.0.0/8"]),
        *("warning", "web: in allow all from 10.0.0.0/8 priority 1", "every machine with an address in 10.0.0.0/8"),
        world(["in allow tcp 80 from 10.0.0.0/8", "in allow all from 10.0.0.0/16"]),
    ),
    row(
        "whole-private-range",
        classic("in allow tcp 80 from any nic intranet"),
        *("warning", "g: in allow tcp 80 from any nic intranet priority 1", "lets other tenants in"),
        classic("in allow tcp 80 from any nic internet"),
    ),
    row(
        "prefix-for-group",
        world(db=["in allow tcp 3306 from 10.0.1.0/24"]),
        *(
            "note",
            "db: in allow tcp 3306 from 10.0.1.0/24 priority 1",
            "is subnet shop/web, whose ports are all in group web",
        ),
        world(db=["in allow tcp 3306 from 10.0.1.0/24"], instances={"web-2": DB_2}),
    ),
    row(
        "prefix-for-group",
        world(["in allow tcp 80 from 10.0.2.8/29"]),
        *("note", "web: in allow tcp 80 from 10.0.2.8/29 priority 1", "holds just the members of db"),
        world(db=["in allow tcp 3306 from 10.0.1.11/32"]),
    ),
    row(
        "prefix-for-group",
        alibaba(["in allow tcp 80 from 10.0.2.11/32"]),
        *("note", "web: in allow tcp 80 from 10.0.2.11/32 priority 1", "holds just the members of db"),
        alibaba(["in allow tcp 80 from 10.0.1.0/24"]),
    ),
    row(
        "shadowed-rule",
        world(
            [
                "in deny tcp 80 from 10.0.0.0/8 priority 9",
                "in allow tcp 1-80 from 10.0.0.0/9",
                "in allow tcp 80 from 10.128.0.0/9",
            ]
        ),
        *(
            "warning",
            "web: in deny tcp 80 from 10.0.0.0/8 priority 9",
            "come first and match together all that it does, and say",
        ),
        world(
            [
                "in deny tcp 80 from 10.0.0.0/8 priority 9",
                "in allow tcp 1-80 from 10.0.0.0/9",
                "in allow tcp 80 from 10.128.0.0/10",
            ]
        ),
    ),
    row(
        "shadowed-rule",
        world(["in allow tcp 80 from group db priority 2", "in allow tcp 80 from any"]),
        *("note", "web: in allow tcp 80 from group db priority 2", "'in allow tcp 80 from any priority 1' comes first"),
        world(["in allow tcp 80 from group db priority 2", "in allow tcp 80 from 10.0.2.0/24"]),
    ),
    row(
        "shadowed-rule",
        world(**edge("in deny tcp 1-99 from any to any", f"in allow tcp 22 from {OFFICE} to any")),
        *(
            "warning",
            "guard: in allow tcp 22 from 203.0.113.0/24 to any",
            "'in deny tcp 1-99 from any to any' comes first",
        ),
        world(
            **edge(
                "in deny tcp 23-99 from any to any", "in allow tcp 22-23 from any to any", "in deny all from any to any"
            )
        ),
    ),
    row(
        "shadowed-rule",
        world(vpcs={"shop": SHOP | {"border": [ANY_SSH, "in deny tcp 22 from any to 10.0.1.11"]}}),
        *("warning", "shop: in deny tcp 22 from any to 10.0.1.11/32", "'in allow tcp 22 from any to any' comes first"),
        world(vpcs={"shop": SHOP | {"border": [ANY_SSH, "out deny tcp 22 from any to any"]}}),
    ),
    row(
        "redundant-rule",
        world(["in deny udp 53 from 10.0.0.0/8"]),
        *("note", "web: in deny udp 53 from 10.0.0.0/8 priority 1", "without it the default decides alike"),
        world(["in deny udp 53 from 10.0.0.0/8"], ["in allow udp 53 from any priority 2"], instances=BOTH),
    ),
    row(
        "redundant-rule",
        world(["in allow tcp 80 from any priority 2", "in allow tcp 80 from 10.0.0.0/8"]),
        *(
            "note",
            "web: in allow tcp 80 from 10.0.0.0/8 priority 1",
            "without it 'in allow tcp 80 from any priority 2' decides alike",
        ),
        world(
            ["in allow tcp 80 from any priority 2", "in allow tcp 80 from 10.0.0.0/8"],
            ["in deny tcp 80 from 10.9.0.0/16 priority 2", "in allow tcp 80 from 10.0.0.0/8 priority 3"],
            instances=BOTH,
        ),
    ),
    row(
        "contradictory-rules",
        world(["in allow tcp 80 from any", "in deny tcp 80 from any"]),
        *(
            "warning",
            "web: in allow tcp 80 from any priority 1",
            "matches the same and says the opposite; it wins, as a deny wins a tie",
        ),
        world(["in allow tcp 80 from any", "in deny tcp 81 from any"]),
    ),
    row(
        "contradictory-rules",
        world(["in allow tcp 80 from any", "in deny tcp 80 from any priority 7"]),
        *("warning", "web: in deny tcp 80 from any priority 7", "it wins, as priority 1 is stronger"),
        world(["in allow tcp 80 from any", "in deny tcp 80 from any disabled"]),
    ),
    row(
        "rule-never-matches",
        world(**other_vpc(db=[OUT, "in allow tcp 3306 from group far"])),
        *(
            "warning",
            "db: in allow tcp 3306 from group far priority 1",
            "the members of far are in VPC lab, those of db in shop",
        ),
        world(**other_vpc(db=[OUT, "in allow tcp 3306 from group far"]), **PEERED),
    ),
    row(
        "rule-never-matches",
        world(["out allow tcp 25 to any"]),
        *("warning", "web: out allow tcp 25 to any priority 1", "the platform lets no port send it"),
        world(groups={"web": ["out allow tcp 25-26 to any"]}),
    ),
    row(
        "rule-never-matches",
        world(["in allow tcp 445 from 203.0.113.0/24"]),
        *(
            "warning",
            "web: in allow tcp 445 from 203.0.113.0/24 priority 1",
            "carriers block it at the internet border",
        ),
        world(["in allow tcp 445 from 10.0.0.0/8"]),
    ),
    row(
        "rule-never-matches",
        world(["in allow tcp 80 from any disabled"]),
        "note",
        "web: in allow tcp 80 from any priority 1 disabled",
        "it is disabled",
        world(["in allow tcp 80 from any"]),
    ),
    row(
        "rule-never-matches",
        world(
            ["in allow tcp 80 from group none"], groups={"web": [OUT, "in allow tcp 80 from group none"], "none": []}
        ),
        "note",
        "web: in allow tcp 80 from group none priority 1",
        "group none has no member",
        world(["in allow tcp 80 from group db"]),
    ),
    row(
        "rule-never-matches",
        world(["in allow tcp 80 from nobody"], address_groups={"nobody": []}),
        *("note", "web: in allow tcp 80 from nobody priority 1", "address group nobody has no entry"),
        world(["in allow tcp 80 from nobody"], address_groups={"nobody": ["10.9.9.9"]}),
    ),
    row(
        "rule-never-matches",
        world(["in allow tcp noports from any"], port_lists={"noports": []}),
        *("note", "web: in allow tcp noports from any priority 1", "port list noports has no entry"),
        world(["in allow tcp noports from any"], port_lists={"noports": ["80"]}),
    ),
    row(
        "rule-never-matches",
        world(["in allow tcp 80 from 2001:db8::/32"]),
        *(
            "note",
            "web: in allow tcp 80 from 2001:db8::/32 priority 1",
            "it is about ipv6, and no member of web has such an address",
        ),
        world(["in allow tcp 80 from 2001:db8::/32"], **dual()),
    ),
    row(
        "rule-never-matches",
        world(["in allow icmpv6 from any"]),
        *("note", "web: in allow icmpv6 from any priority 1", "it is about ipv6"),
        world(["in allow all from ::/0", "in allow all from group web to ::/0"]),  # as every default group has
    ),
    row(
        "rule-never-matches",
        alibaba(["in allow tcp 80 from any to 10.0.1.99/32"]),
        *(
            "note",
            "web: in allow tcp 80 from any to 10.0.1.99/32 priority 1",
            "no member of web has an address in 10.0.1.99/32",
        ),
        alibaba(["in allow tcp 80 from any to 10.0.1.11/32"]),
    ),
    row(
        "unused-group",
        world(groups=EMPTY),
        "note",
        "none",
        "it has no member",
        world(groups={**EMPTY, "db": [OUT, "in allow tcp 1 from group none"]}),
    ),
    row(
        "unused-object",
        world(address_groups={"a": ["10.9.9.9"]}),
        "note",
        "a",
        "no rule names it",
        world(["in allow tcp 80 from a"], address_groups={"a": ["10.9.9.9"]}),
    ),
    row(
        "unused-object",
        world(port_lists={"p": ["80"]}),
        "note",
        "p",
        "no rule names it",
        world(["in allow tcp p from any"], port_lists={"p": ["80"]}),
    ),
    row(
        "unused-object",
        world(acls={"guard": {"rules": []}}),
        "note",
        "guard",
        "it is bound to no subnet",
        world(**edge("in allow all from any to any")),
    ),
    row(
        "stale-prefix",
        world(["in allow tcp 80 from 10.0.9.9/32"]),
        *(
            "note",
            "web: in allow tcp 80 from 10.0.9.9/32 priority 1",
            "10.0.9.9/32 lies in VPC shop, and nothing there has an address in it",
        ),
        world(
            [
                "in allow tcp 80 from 10.0.2.11/32",
                "in allow tcp 80 from 10.0.2.0/28",
                "in allow tcp 80 from 10.9.9.9/32",
                "in deny tcp 81 from 10.0.9.9/32",
            ]
        ),
    ),
    row(
        "egress-locked-out",
        world(groups={"web": []}),
        "warning",
        "web",
        "web (2 addresses) can reach nothing",
        world(groups={"web": ["out allow tcp 443 to 10.0.2.0/24"], "db": [OUT, "in allow tcp 443 from any"]}),
    ),
    row(
        "egress-locked-out",
        world(**edge("out deny all from any to any")),
        "warning",
        "web",
        "guard: 'out deny all from any to any'",
        world(**edge("in deny all from any to any")),
    ),
    row(
        "login-locked-out",
        world(["in allow tcp 80 from any"], instances=SERVING),
        "warning",
        "web-1",
        "nobody can reach it, though it is served: SSH (tcp/22)",
        world([f"in allow tcp 22 from {OFFICE}"], instances=SERVING),
    ),
    row(
        "login-locked-out",
        world(),
        "error",
        "db-1",
        "could reach it before, and nobody can now: SSH (tcp/22)",
        world(db=["in allow tcp 22 from group web"]),
        before=world(db=SSH_RULE),
    ),
    row(
        "over-limit",
        tightened(groups_of(44)),
        "error",
        "web",
        "rules of the group: 46 where 45 are allowed",
        tightened(groups_of(43)),
    ),
    row("near-limit", world(groups_of(43)), "note", "web", "rules of the group: 45 of 50", world(groups_of(42))),
    row(
        "near-limit",
        world(instances=BOTH, db=groups_of(7), switches={"rules_per_port": 12}),
        "note",
        "web",
        "rules that guard one port, in web+db together: 11 of 12",
        world(instances=BOTH, db=groups_of(6), switches={"rules_per_port": 12}),
    ),
    row(
        "out-of-force",
        world([*SETS, "in allow tcp 81 from group db"], **SET_LISTS),
        "warning",
        "web",
        "6 inbound rules count towards the 5 that huawei keeps in force in one direction of a group: 3 name a group,"
        " 1 name an address group, 3 list ports that lie apart, 1 of which do both. There 1 of them would do nothing",
        world([*SETS, "out allow tcp 81 to group db"], **SET_LISTS),
    ),
    row(
        "out-of-force",
        world(groups={"web": ["out allow tcp 22,25,27 to 10.0.0.0/8", "out allow all to group web"]}, **ONE_SET),
        "warning",
        "web",
        "2 outbound rules count towards the 1 that huawei keeps in force in one direction of a group: 1 name a group,"
        " 1 list ports that lie apart. There 1 of them would do nothing",
        alibaba(["in allow tcp 22 from group db", "in allow tcp 23 from group db"]),
    ),
    row(
        "nothing-listens",
        world(["in allow tcp 22,80 from any"], instances=SERVING),
        "warning",
        "web: in allow tcp 22,80 from any priority 1",
        "tcp/80 is open, and nothing at web-1 listens on it",
        world(
            ["in allow tcp 20-22 from any", "in allow tcp 99 from any disabled"],
            ["in allow tcp 80 from any"],
            instances=SERVING,
        ),
    ),
    row(
        "never-hit",
        world(groups={"web": ["in allow tcp 80 from any"], "db": []}),
        "note",
        "web: in allow tcp 80 from any priority 1",
        "no packet has matched it in 2 days",
        world(groups={"web": [HIT, "in allow tcp 81 from any disabled"], "db": []}),
        hits=Hits({"sgr-1": 1}, 200_000),
    ),
]


def told(finding: Finding) -> tuple[str, str, str]:
    place = finding.place.name + (f": {finding.place.rule}" if finding.place.rule else "")
    return finding.severity.word, place, finding.reason


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_check_says_and_of_what_it_says_nothing(row: Row) -> None:
    (check,) = (it for it in CHECKS if it.name == row.check)
    found = [told(it) for it in lint(row.fires, checks=[check], **row.given)]
    assert [it[:2] for it in found] == [it[:2] for it in row.found]
    for got, wanted in zip(found, row.found, strict=True):
        assert wanted[2] in got[2]
    assert [told(it) for it in lint(row.near, checks=[check], **row.given)] == []


def test_every_check_has_a_row() -> None:
    assert {row.check for row in ROWS} == {check.name for check in CHECKS}
