"""Random requests: mostly such as can be done, some that must be refused."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from tests.service.plain import DEFAULTS, PREFIXES, Plain, Step

Thing = dict[str, Any]
VPCS: Mapping[str, Thing] = {
    "n": {"cidrs": ["10.1.0.0/16", "fd00:1::/56"]},
    "s": {"cidrs": ["10.2.0.0/16"]},
    "o": {"cidrs": ["10.2.0.0/16"]},
    "a": {"cidrs": ["10.3.0.0/16"], "profile": "alibaba"},
}
SUBNETS = {
    name: {"vpc": name[0]} | {key: prefix for key, prefix in zip(("cidr", "cidr6"), pair, strict=True) if prefix}
    for name, pair in PREFIXES.items()
}
GROUPS = {**dict.fromkeys(("g1", "g2", "g3"), ""), "gn": "n", "ga1": "a", "ga2": "a"}
LISTS = ("l1", "l2", "l6")
PORT_LISTS = ("w1", "w2", "w3")
PORTS = ("80", "22-25", "7", "8000-8100", "20-90")
ENTRIES = ("198.51.100.0/24", "203.0.113.9", "192.0.2.7-192.0.2.12", "10.2.0.0/16", "10.1.1.0/28")
ENTRIES6 = ("2001:db8::/32", "fd00:1:0:1::9")
ENTRIES_OF = {"address_group": ENTRIES, "port_list": PORTS}
WORDS = ("", "an office", "a shop")
LINES = (
    *("in deny tcp 23 from any to any", "in allow tcp 22 from l1 to any", "in allow all from any to any"),
    *("out allow all from any to any", "out deny udp 53 from any to l2", "in allow udp 7 from 10.2.0.0/16 to any"),
)
WALLS = ("deny tcp 22 from 10.1.0.0/16 to any", "allow all from any to any", "deny udp 7 from any to l1")
FLOWS = ("i1 -> i2 tcp/80 allow", "i2 -> i1 udp/7 deny", "h1 -> i1 tcp/22 deny", "i3 -> h1 tcp/443 allow")
HOSTS = {"h1": ["203.0.113.9"], "h2": ["203.0.113.9", "2001:db8::9"], "h3": ["198.51.100.7"]}
PEERS = {"p1": ["n", "s"], "p2": ["n", "o"], "p3": ["a", "n"], "p4": ["s", "n"], "p5": ["o", "s"]}
TAGS = {"env": ("prod", "test"), "owner": ("ann", "bob")}


class Requests:
    """Requests by chance about what a model holds."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def next(self, plain: Plain) -> list[Step]:
        """The steps of one request: one, seldom more."""
        return [self.step(plain) for _ in range(self.chance.choice([1] * 8 + [2, 3]))]

    def step(self, plain: Plain) -> Step:
        """One step."""
        kind = self.chance.choice(_WEIGHTED)
        there = [name for each, name in plain.things if each == kind]
        kinds = ("group", "port", "address_group", "port_list", "rule", "instance")
        if kind in kinds and self.chance.random() < 0.35:
            return self.special(plain, kind)
        verb = self.chance.choice(["create", "create", "update", "update", "update", "delete", "tag", "untag"])
        if verb == "create" or (not there and self.chance.random() < 0.8):
            return Step("create", kind, said=self._made[kind](self, plain))
        ref = self.pick(there) if self.chance.random() < 0.95 else "nobody"
        if verb == "update":
            return Step("update", kind, ref, self.changed(plain, kind))
        if verb == "delete":
            return Step("delete", kind, ref, {"force": self.chance.random() < 0.3} if kind in ENTRIES_OF else {})
        key = self.chance.choice([*TAGS])
        said = {key: self.chance.choice(TAGS[key])} if verb == "tag" else self.chance.choice([[], [key]])
        return Step(verb, kind, ref, said)

    def special(self, plain: Plain, kind: str) -> Step:
        """What can be done with groups, members and entries besides."""
        group = self.name(plain, "group")
        if kind == "rule":
            own = [name for name, rule in plain.all("rule").items() if rule["group"] == group]
            if own and self.chance.random() < 0.3:
                return Step("revoke", kind, group, self.some(own, 1, 3))
            return Step("authorize", kind, group, [self.rule(plain) for _ in range(self.chance.randint(1, 4))])
        if kind in ENTRIES_OF:
            add = [{"entry": it, "remark": self.chance.choice(WORDS)} for it in self.some(ENTRIES_OF[kind], 0, 2)]
            said = {"add": add, "remove": self.some(ENTRIES_OF[kind], 1, 3)}
            return Step("edit_entries", kind, self.name(plain, kind), said)
        ports = [*plain.all("port")] or ["nobody"]
        if kind == "instance":
            return self.of_instance(plain)
        if kind == "port" and self.chance.random() < 0.7:
            return self.of_port(plain, self.pick(ports))
        if self.chance.random() < 0.3:
            return Step("set_groups", "port", self.pick(ports), self.groups(plain))
        return Step(self.chance.choice(["join", "leave"]), "port", group, self.some(ports, 1, 2))

    def of_port(self, plain: Plain, port: str) -> Step:
        """What can be done with a port besides its groups, mostly with such as it can be done with."""
        ports = plain.all("port")
        loose = [name for name, it in ports.items() if not it["instance"]]
        below = [name for name, it in ports.items() if it["parent"]]
        free = [name for name, it in ports.items() if it["instance"] and (it["index"] or it["parent"])]
        verb = self.chance.choice(["attach", "attach", "detach", "hang", "hang", "assign", "unassign"])
        usual = {"attach": loose, "detach": [*free, *below], "hang": [*loose, *below]}.get(verb, [])
        port = self.pick(usual) if usual and self.chance.random() < 0.9 else port
        vpc = plain.things.get(("port", port), {"vpc": ""})["vpc"]
        near = [name for name, it in ports.items() if it["vpc"] == vpc and not it["parent"] and it["instance"]]
        parent = self.pick(near) if near and self.chance.random() < 0.9 else self.name(plain, "port")
        instance = ports[parent]["instance"] if near else self.name(plain, "instance")
        return Step(verb, "port", port, self._of_port(verb, instance, parent, ports.get(port, {}).get("addresses", [])))

    def _of_port(self, verb: str, instance: str, parent: str, own: list[str]) -> Any:
        start = own[0].rpartition(".")[0] if own else "10.1.1"
        if verb == "attach":
            return {"instance": instance} | self.chance.choice([{}, {}, {"index": self.chance.randint(0, 4)}])
        if verb == "detach":
            return self.chance.choice([{}, {}, {}, {"instance": instance}])
        if verb == "hang":
            return {"parent": parent} | self.chance.choice([{}, {"vlan": self.chance.randint(1, 3)}])
        if verb == "assign":
            given = self.chance.choice([[], [f"{start}.{self.chance.randint(11, 16)}"]])
            return {"addresses": given, "count": self.chance.randint(0, 2)}
        return self.some(own if self.chance.random() < 0.2 else own[1:], 1, 2)

    def of_instance(self, plain: Plain) -> Step:
        """What can be done with an instance besides."""
        verb = self.chance.choice(["start", "stop", "stop", "reboot", "move", "move", "release"])
        force = self.chance.random() < 0.5
        move = {"subnet": self.name(plain, "subnet"), "groups": self.groups(plain), "force": force}
        said = {"move": move, "release": {"force": force}}
        return Step(verb, "instance", self.name(plain, "instance"), said.get(verb, {}))

    def pick(self, names: list[str]) -> str:
        """One of some names; nobody's, if there are none."""
        return self.chance.choice(names) if names else "nobody"

    def some(self, names: Any, least: int, most: int) -> list[Any]:
        """Some of them, each once."""
        return self.chance.sample([*names], min(len(names), self.chance.randint(least, most)))

    def name(self, plain: Plain, kind: str) -> str:
        """A thing of a kind that is there, if any is."""
        return self.pick([*plain.all(kind)])

    def changed(self, plain: Plain, kind: str) -> Thing:
        """Another value of one field."""
        values: Mapping[str, Callable[[], Thing]] = {
            "vpc": lambda: {"border": self.some(LINES, 0, 3)},
            "subnet": lambda: {"acl": self.chance.choice(["", self.name(plain, "acl")])},
            "group": lambda: self.chance.choice(
                [{"intra_group": "accept"}, {"intra_group": "drop"}, {"ftp_helper": True}, {"ftp_helper": False}]
            ),
            "rule": lambda: self.chance.choice(
                [{"action": "deny"}, {"enabled": False}, {"enabled": True}, {"priority": 9}, {"remote": "any"}]
            ),
            "address_group": lambda: self.chance.choice([{"entries": self.entries()}, self.remarks("address_group")]),
            "port_list": lambda: self.chance.choice([{"entries": self.some(PORTS, 0, 3)}, self.remarks("port_list")]),
            "acl": lambda: self.chance.choice(
                [{"enabled": False}, {"enabled": True}, {"rules": self.some(LINES, 0, 4)}]
            ),
            "peering": lambda: {"firewall": self.some(WALLS, 0, 2)},
            "instance": lambda: self.chance.choice(
                [{"serve": self.some(["tcp/80", "udp/7"], 0, 2)}, {"hostname": self.chance.choice(["web", "db"])}]
            ),
            "port": lambda: self.chance.choice([{"groups": self.groups(plain)}, {"label": "front"}]),
            "virtual_ip": lambda: {"ports": self.some([*plain.all("port")], 0, 2), "active": ""},
            "penalty": lambda: {"reason": self.chance.choice(["spam", "abuse", ""])},
            "outside_host": lambda: {"addresses": self.chance.choice([*HOSTS.values()])},
            "expectation": lambda: {"expect": self.chance.choice(FLOWS)},
            "quota": lambda: {"limits": self.limits()},
        }
        common: list[Thing] = [{}, {}, {"description": "another"}, {"protected": self.chance.random() < 0.3}]
        return values[kind]() | self.chance.choice(common)

    def entries(self) -> list[str]:
        """Some entries of an address group, now and then of both families."""
        return self.some(ENTRIES6 if self.chance.random() < 0.1 else ENTRIES, 0, 3)

    def remarks(self, kind: str) -> Thing:
        """Words about an entry, which may be there."""
        return {"remarks": dict.fromkeys(self.some(ENTRIES_OF[kind], 0, 1), "a remark")}

    def groups(self, plain: Plain) -> list[str]:
        """Some groups for a port, most often such as go together."""
        names = [*plain.all("group")]
        alibaba = self.chance.random() < 0.3
        fitting = [name for name in names if plain.things["group", name]["name"].startswith("ga") is alibaba]
        return self.some(fitting if self.chance.random() < 0.85 else names, 1, 3)

    def limits(self) -> dict[str, int]:
        """Limits that are near."""
        name, low = self.chance.choice([("rules_per_group", 3), ("groups_per_account", 4)])
        return {name: self.chance.randint(low, low + 5)}

    def rule(self, plain: Plain) -> Thing:
        """A rule, but for its group."""
        remotes = [
            "any",
            "10.1.1.0/24",
            "fd00:1::/56",
            "l1",
            self.chance.choice(LISTS),
            f"group {self.name(plain, 'group')}",
        ]
        protocol, ports = self.chance.choice(
            [("tcp", "80"), ("tcp", "22,80-90"), ("udp", "7"), ("all", ""), ("icmp", ""), ("tcp", "w1"), ("udp", "w2")]
        )
        remote = self.chance.choice(remotes)
        return {
            "direction": self.chance.choice(["ingress", "ingress", "egress"]),
            "action": self.chance.choice(["allow", "allow", "deny"]),
            "protocol": "all" if protocol == "icmp" and ":" in remote else protocol,
            "ports": ports,
            "remote": remote,
            **({"source_ports": "1024-65535"} if protocol == "udp" and self.chance.random() < 0.2 else {}),
            "priority": self.chance.choice([1, 1, 5]),
            "enabled": self.chance.random() < 0.85,
        }

    def port(self, plain: Plain) -> Thing:
        """A port, but for its instance."""
        subnet = self.name(plain, "subnet")
        name = plain.things.get(("subnet", subnet), {"name": "n1"})["name"]
        own = [f"{PREFIXES[name][0][:-4]}{self.chance.randint(11, 16)}"]
        return {"subnet": subnet, "addresses": self.chance.choice([[], own]), "groups": self.groups(plain)}

    def penalty(self, plain: Plain) -> Thing:
        """A penalty on an instance or on a port."""
        target = self.chance.choice(["instance", "port"])
        return {target: self.name(plain, target), "reason": self.chance.choice(["spam", "fraud"])}

    _made: Mapping[str, Callable[[Requests, Plain], Thing]] = {
        "vpc": lambda it, _: (lambda name: {"name": name, **VPCS[name]})(it.chance.choice([*VPCS])),
        "subnet": lambda it, _: (lambda name: {"name": name, **SUBNETS[name]})(it.chance.choice([*SUBNETS])),
        "group": lambda it, _: (
            (lambda name: {"name": name, "vpc": GROUPS[name]})(it.chance.choice([*GROUPS]))
            | it.chance.choice([{}, {"template": "default"}])
            | it.chance.choice([{}, {}, {}, {"profile": "huawei"}, {"profile": "alibaba"}])
        ),
        "rule": lambda it, plain: it.rule(plain) | {"group": it.name(plain, "group")},
        "address_group": lambda it, _: {"name": it.chance.choice(LISTS), "entries": it.entries()},
        "port_list": lambda it, _: {"name": it.chance.choice(PORT_LISTS), "entries": it.some(PORTS, 0, 3)},
        "acl": lambda it, _: {
            **(lambda name: {"name": name, "vpc": {"c": "", "cn": "n", "ca": "a"}[name]})(
                it.chance.choice(["c", "cn", "ca"])
            ),
            "rules": it.some(LINES, 0, 4),
        },
        "peering": lambda it, _: (
            (lambda name: {"name": name, "vpcs": PEERS[name]})(it.chance.choice([*PEERS]))
            | {"firewall": it.some(WALLS, 0, 2)}
        ),
        "instance": lambda it, plain: {
            "name": it.chance.choice(["i1", "i2", "i3", "i4"]),
            "ports": [it.port(plain) for _ in range(it.chance.choice([0, 1, 1, 1, 2]))],
        },
        "port": lambda it, plain: {
            **it.port(plain),
            "instance": it.chance.choice(["", "", *[it.name(plain, "instance")] * 4]),
            **it.chance.choice([{}, {}, {}, {"name": "eth1"}, {"index": 2}]),
            **it.chance.choice([{}, {}, {}, {"parent": it.name(plain, "port"), "instance": ""}]),
        },
        "virtual_ip": lambda it, plain: {
            "name": "v1",
            "subnet": it.name(plain, "subnet"),
            "ports": it.some([*plain.all("port")], 0, 2),
        },
        "penalty": lambda it, plain: it.penalty(plain),
        "outside_host": lambda it, _: (lambda name: {"name": name, "addresses": HOSTS[name]})(
            it.chance.choice([*HOSTS])
        ),
        "expectation": lambda it, _: {"expect": it.chance.choice(FLOWS)},
        "quota": lambda it, _: {"target": it.chance.choice(["*", "operator"]), "limits": it.limits()},
    }


_WEIGHTS = {"rule": 6, "port": 9, "group": 4, "address_group": 4, "port_list": 4, "instance": 3}
_WEIGHTED = [kind for kind in DEFAULTS for _ in range(_WEIGHTS.get(kind, 2))]


def beginning(chance: random.Random) -> list[Step]:
    """Something to begin with: a network, groups with rules, machines."""
    said = [
        *(("vpc", {"name": name, **VPCS[name]}) for name in "nsa"),
        *(("subnet", {"name": name, **SUBNETS[name]}) for name in ("n1", "n2", "s1", "a1")),
        *(("address_group", {"name": name, "entries": list(ENTRIES[:2])}) for name in ("l1", "l2")),
        ("address_group", {"name": "l6", "entries": list(ENTRIES6)}),
        *(("port_list", {"name": name, "entries": list(PORTS[:2])}) for name in ("w1", "w2")),
        *(("group", {"name": name, "vpc": GROUPS[name]}) for name in ("g1", "g2", "ga1")),
        ("peering", {"name": "p1", "vpcs": PEERS["p1"]}),
        ("instance", {"name": "i1", "ports": [{"subnet": "n1", "groups": ["g1"]}]}),
        ("instance", {"name": "i2", "ports": [{"subnet": "s1", "groups": ["g1", "g2"]}]}),
        ("instance", {"name": "i3", "ports": [{"subnet": "a1", "groups": ["ga1"]}]}),
        *(("port", {"subnet": subnet, "groups": ["g1"]}) for subnet in ("n1", "n2", "s1")),
    ]
    steps = [Step("create", kind, said=fields) for kind, fields in said]
    asking = Requests(chance)
    known = Plain().request(steps)[0]
    rules = [asking.rule(known) | {"group": name, "remote": "any"} for name in ("g1", "g2", "ga1")]
    plain = {"source_ports"}
    return [*steps, *(Step("create", "rule", said={k: v for k, v in it.items() if k not in plain}) for it in rules)]
