"""The service as plain dictionaries: what is there after each step, and what is wrong with a request.

Written without the product's code, from what the documents say; as slow and as obvious as can be. A thing is what the
API tells of it, by kind and id, without its account and its time. It is judged whole: whatever `flaws` finds after a
request, the request should not have been.
"""

from __future__ import annotations

import copy
import ipaddress
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise, product
from typing import Any

Ref = tuple[str, str]
Thing = dict[str, Any]
Things = dict[Ref, Thing]
Said = Mapping[str, Any]

DEFAULTS: Mapping[str, Thing] = {
    "vpc": {"profile": "huawei", "switches": {}, "border": [], "network": "vpc", "shared_with": []},
    "subnet": {"cidr": None, "cidr6": None, "acl": "", "nic": "intranet"},
    "group": {"vpc": "", "profile": "", "type": "basic", "intra_group": "drop", "ftp_helper": False, "managed": ""},
    "rule": {
        "action": "allow",
        "protocol": "all",
        "ports": "",
        "remote": "any",
        "priority": 1,
        "enabled": True,
        "local": None,
        "source_ports": "",
        "nic": None,
        "managed": "",
    },
    "address_group": {"entries": [], "max_entries": None, "family": None, "remarks": {}},
    "port_list": {"entries": [], "max_entries": None, "remarks": {}},
    "acl": {"rules": [], "vpc": "", "enabled": True},
    "peering": {"firewall": []},
    "instance": {"serve": [], "hostname": "", "power": "running"},
    "port": {"instance": "", "namespace": "", "parent": "", "vlan": 0, "label": ""},
    "virtual_ip": {"active": ""},
    "penalty": {"instance": "", "port": "", "reason": ""},
    "outside_host": {},
    "expectation": {},
    "quota": {"target": "*"},
}
REFERENCES = {
    "vpc": "vpc",
    "vpcs": "vpc",
    "subnet": "subnet",
    "acl": "acl",
    "group": "group",
    "groups": "group",
    "instance": "instance",
    "port": "port",
    "ports": "port",
    "active": "port",
    "parent": "port",
}
"""The kinds of what fields name."""
LISTS = ("address_group", "port_list")
"""Kinds that rules name, and that have entries."""
LINES = ("rules", "border", "firewall")
"""Fields that hold lines of a firewall."""
TENANT = "tenant"
"""The account whose ids say nothing."""
MADE_UP = ("rule", "penalty", "expectation", "quota")
"""Kinds whose ids say nothing."""
PREFIXES = {
    "n1": ("10.1.1.0/24", "fd00:1:0:1::/64"),
    "n2": ("10.1.2.0/24", None),
    "s1": ("10.2.1.0/24", None),
    "o1": ("10.2.1.0/24", None),
    "a1": ("10.3.1.0/24", None),
}
"""The subnets that there can be; VPC o has the addresses of VPC s."""
DEFAULT_RULES: Mapping[str, list[Thing]] = {
    "huawei": [
        {"direction": "ingress", "remote": "group {group}", "local": "0.0.0.0/0", "priority": 1},
        {"direction": "ingress", "remote": "group {group}", "local": "::/0", "priority": 1},
        {"direction": "egress", "remote": "0.0.0.0/0", "priority": 1},
        {"direction": "egress", "remote": "::/0", "priority": 1},
    ],
    "alibaba": [
        {"direction": "ingress", "protocol": "icmp", "remote": "0.0.0.0/0", "priority": 100},
        {"direction": "ingress", "protocol": "tcp", "ports": "22", "remote": "0.0.0.0/0", "priority": 100},
        {"direction": "ingress", "protocol": "tcp", "ports": "3389", "remote": "0.0.0.0/0", "priority": 100},
    ],
}


class Refusal(Exception):
    """The request cannot even be followed: the codes that say why."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = set(codes)


@dataclass(frozen=True)
class Step:
    """A part of a request: what is done (`Plain.do`), to which kind of thing, to which thing, and what is said."""

    verb: str
    kind: str
    ref: str = ""
    said: Any = field(default_factory=dict)


class Plain:
    """All things; `do` follows one step, and `flaws` judges what came of it."""

    def __init__(self, things: Things | None = None, *, speaking: bool = True) -> None:
        """``speaking``: ids are the names, where these are free."""
        self.things: Things = things or {}
        self.speaking = speaking
        self._before: Things = {}
        self._fresh = 0

    def request(self, steps: list[Step]) -> tuple[Plain, set[str]]:
        """What a request makes of it, and the codes of what is wrong with that."""
        after = Plain(copy.deepcopy(self.things), speaking=self.speaking)
        after._before = self.things
        try:
            for step in steps:
                after.do(step)
        except Refusal as refusal:
            return self, refusal.codes
        return after, after.flaws()

    def known_by(self, ids: Mapping[str, list[str]]) -> Plain:
        """The same with ids that the service made up, in the order in which it did, for those that stand in here."""
        text = json.dumps([[kind, name, thing] for (kind, name), thing in self.things.items()])
        made: dict[str, list[str]] = {}
        for kind, name in self.things:
            if name.startswith("?"):
                made.setdefault(kind, []).append(name)
        for kind, names in made.items():
            for stand_in, name in zip(names, ids[kind], strict=True):
                text = text.replace(stand_in, name)
        known = json.loads(text)
        for _, _, thing in known:
            _put_in_order(thing)
        return Plain({(kind, name): thing for kind, name, thing in known}, speaking=self.speaking)

    def all(self, kind: str) -> dict[str, Thing]:
        """The things of a kind, by id."""
        return {name: thing for (each, name), thing in self.things.items() if each == kind}

    # --- what a step does

    def do(self, step: Step) -> None:
        """Follow a step, whether or not what comes of it may be."""
        getattr(self, f"_{step.verb}")(step.kind, step.ref, step.said)

    def _id(self, kind: str, ref: str) -> str:
        """The id of a thing, which may be said by its name where only one has that."""
        called = [name for name, thing in self.all(kind).items() if thing["name"] == ref]
        return called[0] if (kind, ref) not in self.things and len(called) == 1 and ref else ref

    def _find(self, kind: str, ref: str, code: str = "resource.not_found") -> Thing:
        if (kind, self._id(kind, ref)) not in self.things:
            raise Refusal(code)
        return self.things[kind, self._id(kind, ref)]

    def _by_id(self, said: Said) -> Thing:
        """What a request says, with ids in place of names."""
        return {name: self._named_by_id(name, copy.deepcopy(value)) for name, value in said.items()}

    def _named_by_id(self, name: str, value: Any) -> Any:
        kind = REFERENCES.get(name)
        if name == "remote":
            word, _, other = value.partition(" ")
            return f"group {self._id('group', other)}" if word == "group" else self._id("address_group", value)
        if name == "ports" and isinstance(value, str):
            return self._id("port_list", value) if _is_port_list(value) else value
        if name in LINES:
            return [" ".join(self._id("address_group", word) for word in line.split()) for line in value]
        if kind is None:
            return value
        return [self._id(kind, each) for each in value] if isinstance(value, list) else self._id(kind, value)

    def _new_id(self, kind: str, name: str) -> str:
        speaking = (
            self.speaking
            and kind not in MADE_UP
            and name
            and not name.startswith(".")
            and (kind, name) not in self.things
        )
        self._fresh += 1
        return name if speaking else f"?{self._fresh}?"

    def _create(self, kind: str, _: str, said: Said) -> str:
        common = {"name": "", "description": "", "tags": {}, "protected": False}
        thing: Thing = (
            common | copy.deepcopy(DEFAULTS[kind]) | (dict(said) if kind == "instance" else self._by_id(said))
        )
        ports: list[Thing] = thing.pop("ports", []) if kind == "instance" else []
        template = thing.pop("template", None)
        getattr(self, f"_settle_{kind}", lambda _, __: None)(thing, said)
        if kind in LISTS:
            _settle_list(thing, strict=True)
        name = thing["name"]
        id_ = self._new_id(kind, f"{thing['instance']}.{name}" if kind == "port" else name)
        self.things[kind, id_] = thing
        if template:
            for rule in DEFAULT_RULES[self._profile_of(thing)]:
                remote = rule.get("remote", "any").format(group=id_)
                self._create("rule", "", {**rule, "group": id_, "remote": remote})
        for port in ports:
            groups = port.get("groups") or [self._default_group(port["subnet"])]
            self._create("port", "", {**port, "instance": id_, "groups": groups})
        return id_

    def _default_group(self, subnet: str) -> str:
        vpc = self._find("subnet", subnet)["vpc"]
        home = vpc if self._profile(vpc) == "alibaba" else ""
        for name, group in sorted(self.all("group").items()):
            if group["name"] == "default" and group["vpc"] == home:
                return name
        return self._create("group", "", {"name": "default", "vpc": home, "template": "default"})

    def _profile(self, vpc: str) -> str:
        return str(self.things.get(("vpc", vpc), {"profile": "huawei"})["profile"])

    def _profile_of(self, group: Thing) -> str:
        return self._profile(group["vpc"]) if group["vpc"] else str(group["profile"] or "huawei")

    def _settle_group(self, thing: Thing, said: Said) -> None:
        if "intra_group" not in said:
            thing["intra_group"] = "accept" if self._profile_of(thing) == "alibaba" else "drop"

    def _settle_port(self, thing: Thing, _: Said) -> None:
        self._settle_place(thing)
        if parent := self.things.get(("port", thing["parent"])):
            thing["instance"] = thing["instance"] or parent["instance"]
            thing["vlan"] = thing["vlan"] or self._free_vlan(thing["parent"])
        instance = thing["instance"]
        near = [it for it in self.all("port").values() if instance and it["instance"] == instance]
        thing.setdefault("index", 1 + max((it["index"] for it in near), default=-1))
        thing["name"] = thing["name"] or f"eth{thing['index']}"
        if any(it["name"] == thing["name"] or it["index"] == thing["index"] for it in near):
            raise Refusal("world.duplicate")

    def _settle_virtual_ip(self, thing: Thing, _: Said) -> None:
        self._settle_place(thing)
        thing["active"] = thing["active"] or next(iter(thing["ports"]), "")

    def _settle_place(self, thing: Thing) -> None:
        subnet = self.things.get(("subnet", thing["subnet"]))
        thing["vpc"] = subnet["vpc"] if subnet else ""
        thing.setdefault("addresses", [])
        if subnet and not thing["addresses"]:
            near = [*self.all("port").values(), *self.all("virtual_ip").values()]
            taken = {at for it in near if it["subnet"] == thing["subnet"] for at in it["addresses"]}
            thing["addresses"] = [
                next(str(at) for at in list(_first(prefix, 100)) if str(at) not in taken)
                for prefix in (subnet["cidr"], subnet["cidr6"])
                if prefix
            ]

    def _update(self, kind: str, ref: str, said: Said) -> None:
        thing = self._find(kind, ref)
        thing |= self._by_id(said)
        if kind in LISTS:
            _settle_list(thing, strict="remarks" in said)
        if kind == "penalty" and not thing["reason"].strip():
            raise Refusal("input.notation")
        if kind == "virtual_ip":
            thing["active"] = thing["active"] or next(iter(thing["ports"]), "")
            thing["ports"].sort()

    def _delete(self, kind: str, ref: str, said: Said) -> None:
        thing, ref = self._find(kind, ref), self._id(kind, ref)
        if kind == "group" and thing["name"] == "default":
            raise Refusal("resource.protected")
        for other, users in [*self.things.items()]:
            part = (kind, other[0]) in (("group", "rule"), ("instance", "port")) and users[kind] == ref
            part = part or (kind == "port" and other[0] == "port" and users["parent"] == ref)
            by = {"address_group": "remote", "port_list": "ports"}.get(kind, "")
            named = by and said.get("force") and other[0] == "rule" and users[by] == ref
            if (part or named) and other in self._before:
                del self.things[other]
        del self.things[kind, ref]

    def _authorize(self, _: str, ref: str, said: list[Thing]) -> None:
        self._find("group", ref)
        ref = self._id("group", ref)
        known = {_meaning(rule) for rule in self.all("rule").values() if rule["group"] == ref}
        for rule in said:
            whole = {**DEFAULTS["rule"], **self._by_id(rule), "group": ref}
            if _meaning(whole) not in known:
                self._create("rule", "", {**rule, "group": ref})
                known.add(_meaning(whole))

    def _revoke(self, _: str, ref: str, said: list[str]) -> None:
        self._find("group", ref)
        ref = self._id("group", ref)
        own = {name for name, rule in self.all("rule").items() if rule["group"] == ref}
        if not {*said} <= own:
            raise Refusal("InvalidParam.SecurityGroupRuleId")
        for name in {*said}:
            del self.things["rule", name]

    def _join(self, _: str, ref: str, said: list[str]) -> None:
        self._find("group", ref)
        ref = self._id("group", ref)
        for port in dict.fromkeys(said):
            groups = self._find("port", port, "InvalidInstanceId.NotFound")["groups"]
            if ref not in groups:
                groups.append(ref)

    def _leave(self, _: str, ref: str, said: list[str]) -> None:
        self._find("group", ref)
        ref = self._id("group", ref)
        for port in dict.fromkeys(said):
            groups = self._find("port", port, "InvalidInstanceId.NotFound")["groups"]
            if ref not in groups or len(groups) == 1:
                raise Refusal("InvalidSecurityGroupAssociation.NotFound", "InstanceLastSecurityGroup")
            groups.remove(ref)

    def _set_groups(self, _: str, ref: str, said: list[str]) -> None:
        if not said:
            raise Refusal("InstanceLastSecurityGroup")
        for group in said:
            self._find("group", group, "InvalidSecurityGroupId.NotFound")
        self._find("port", ref, "InvalidInstanceId.NotFound")["groups"] = [self._id("group", group) for group in said]

    def _edit_entries(self, kind: str, ref: str, said: dict[str, list[Any]]) -> None:
        thing = self._find(kind, ref)
        new = {each["entry"]: each["remark"] for each in said["add"]}
        if {*new} & {*said["remove"]}:
            raise Refusal("input.field")
        kept = [entry for entry in thing["entries"] if entry not in said["remove"]]
        thing["entries"] = [*kept, *(it for it in new if it not in kept)]
        thing["remarks"].update({entry: remark for entry, remark in new.items() if remark})
        _settle_list(thing, strict=False)

    def _tag(self, kind: str, ref: str, said: dict[str, str]) -> None:
        self._find(kind, ref)["tags"].update(said)

    def _untag(self, kind: str, ref: str, said: list[str]) -> None:
        thing = self._find(kind, ref)
        thing["tags"] = {key: value for key, value in thing["tags"].items() if said and key not in said}

    # --- ports that come and go

    def _hanging(self, port: str) -> list[str]:
        found = [name for name, it in self.all("port").items() if it["parent"] == port]
        return sorted(found, key=lambda name: int(self.things["port", name]["vlan"]))

    def _free_vlan(self, parent: str) -> int:
        taken = {self.things["port", name]["vlan"] for name in self._hanging(parent)}
        return next(vlan for vlan in range(1, 5000) if vlan not in taken)

    def _ports_of(self, instance: str) -> list[str]:
        found = [(it["index"], it["name"], name) for name, it in self.all("port").items() if it["instance"] == instance]
        return [name for _, _, name in sorted(found)] if instance else []

    def _go(self, ref: str, instance: str, index: int | None) -> None:
        port = self.things["port", ref]
        near = [self.things["port", name] for name in self._ports_of(instance) if name != ref]
        following = 1 + max((it["index"] for it in near), default=-1)
        if index is None:
            index = port["index"] if port["instance"] == instance else following
        number = index
        while any(it["name"] == port["name"] for it in near):
            port["name"], number = f"eth{number}", number + 1
        port["instance"], port["index"] = instance, index if instance else 0

    def _attach(self, _: str, ref: str, said: Thing) -> None:
        port, ref = self._find("port", ref), self._id("port", ref)
        self._find("instance", said["instance"])
        home = self._id("instance", said["instance"])
        own = [self.things["port", name] for name in self._ports_of(home)]
        if port["instance"] or port["parent"]:
            raise Refusal("InvalidOperation.InvalidEniState")
        if own and own[0]["vpc"] != port["vpc"]:
            raise Refusal("InvalidOperation.VpcMismatch")
        index = said.get("index", 1 + max((it["index"] for it in own), default=-1))
        if any(it["index"] == index for it in own):
            raise Refusal("world.duplicate")
        self._go(ref, home, index)
        for name in self._hanging(ref):
            self._go(name, home, None)

    def _detach(self, _: str, ref: str, said: Thing) -> None:
        port, ref = self._find("port", ref), self._id("port", ref)
        home = said.get("instance")
        if home:
            self._find("instance", home)
        if (home and port["instance"] != self._id("instance", home)) or not (port["instance"] or port["parent"]):
            raise Refusal("InvalidOperation.InvalidEniState")
        if self._ports_of(port["instance"])[:1] == [ref]:
            raise Refusal("InvalidOperation.DetachPrimaryEniNotAllowed")
        below = self._hanging(ref)
        self._refuse_if_named(ref, *below)
        for name in below:
            self._go(name, "", 0)
        port["parent"], port["vlan"] = "", 0
        self._go(ref, "", 0)

    def _refuse_if_named(self, *ports: str) -> None:
        if any(kind in ("virtual_ip", "penalty") for name in ports for kind, _ in self.users(("port", name))):
            raise Refusal("resource.in_use")

    def _hang(self, _: str, ref: str, said: Thing) -> None:
        port, ref = self._find("port", ref), self._id("port", ref)
        under, parent = self._find("port", said["parent"]), self._id("port", said["parent"])
        if (port["instance"] and not port["parent"]) or ref == parent or under["parent"] or self._hanging(ref):
            raise Refusal("InvalidOperation.InvalidEniState")
        if port["vpc"] != under["vpc"]:
            raise Refusal("InvalidOperation.VpcMismatch")
        if port["instance"] != under["instance"]:
            self._refuse_if_named(ref)
        vlan = said.get("vlan") or self._free_vlan(parent)
        port["parent"], port["vlan"] = parent, vlan
        self._go(ref, under["instance"], None)

    def _assign(self, _: str, ref: str, said: Thing) -> None:
        port = self._find("port", ref)
        asked: list[str] = said["addresses"]
        if {*asked} & {*port["addresses"]}:
            raise Refusal("world.duplicate")
        new = [*asked, *self._free(port["subnet"], said["count"], asked)]
        if not new:
            raise Refusal("input.field")
        port["addresses"] = sorted([*port["addresses"], *new], key=lambda address: ":" in address)

    def _free(self, subnet: str, count: int, besides: list[str]) -> list[str]:
        near = [*self.all("port").values(), *self.all("virtual_ip").values()]
        taken = {at for it in near if it["subnet"] == subnet for at in it["addresses"]}.union(besides)
        every = map(str, _first(self.things["subnet", subnet]["cidr"], 100))
        return [address for address in every if address not in taken][:count]

    def _unassign(self, _: str, ref: str, said: list[str]) -> None:
        own = self._find("port", ref)["addresses"]
        if not {*said} <= {*own[1:]}:
            raise Refusal("input.field")
        own[:] = [address for address in own if address not in said]

    def _move(self, _: str, ref: str, said: Thing) -> None:
        machine, ref = self._find("instance", ref), self._id("instance", ref)
        if machine["power"] != "stopped" and not said["force"]:
            raise Refusal("IncorrectInstanceStatus")
        own = self._ports_of(ref)
        if not own:
            raise Refusal("InvalidInstanceId.NotFound")
        subnet, name, port = (
            self._find("subnet", said["subnet"]),
            self._id("subnet", said["subnet"]),
            self.things["port", own[0]],
        )
        if subnet["vpc"] != port["vpc"] and len(own) > 1:
            raise Refusal("OperationDenied")
        if name != port["subnet"]:
            port["addresses"] = []
        port |= {"subnet": name, "groups": [self._id("group", group) for group in said["groups"]]}
        self._settle_place(port)

    def _power(self, ref: str, before: str, after: str) -> None:
        machine = self._find("instance", ref)
        if machine["power"] != before:
            raise Refusal("IncorrectInstanceStatus")
        machine["power"] = after

    def _start(self, _: str, ref: str, __: Said) -> None:
        self._power(ref, "stopped", "running")

    def _stop(self, _: str, ref: str, __: Said) -> None:
        self._power(ref, "running", "stopped")

    def _reboot(self, _: str, ref: str, __: Said) -> None:
        self._power(ref, "running", "running")

    def _release(self, kind: str, ref: str, said: Thing) -> None:
        if self._find("instance", ref)["power"] != "stopped" and not said["force"]:
            raise Refusal("IncorrectInstanceStatus")
        self._delete(kind, ref, {})

    # --- what may not be

    def flaws(self) -> set[str]:
        """The codes of all that is wrong, with the protection of what was there before."""
        found = {*self._dangling()}
        if any(old["protected"] and ref not in self.things for ref, old in self._before.items()):
            found.add("InvalidOperation.DeletionProtection")
        if not found:  # what follows looks at what things name
            for judge in (self._group_flaws, self._place_flaws, self._network_flaws, self._quotas):
                found |= {*judge()}
        return found | {*self._other_flaws()}

    def users(self, ref: Ref) -> list[Ref]:
        """Who refers to a thing."""
        return sorted(other for other, thing in self.things.items() if ref in _named(other[0], thing))

    def _dangling(self) -> Iterator[str]:
        for (kind, _), thing in self.things.items():
            for target in _named(kind, thing):
                if target not in self.things:
                    yield from _code_of(kind, target, gone=target in self._before)

    def attached(self) -> dict[str, Thing]:
        """The ports that are of an instance: a packet meets no others."""
        return {name: port for name, port in self.all("port").items() if port["instance"]}

    def _group_flaws(self) -> Iterator[str]:
        meanings = Counter((rule["group"], _meaning(rule)) for rule in self.all("rule").values())
        if any(number > 1 for number in meanings.values()):
            yield "world.duplicate"
        for group in self.all("group").values():
            if group["vpc"] and group["profile"] not in ("", self._profile(group["vpc"])):
                yield "world.group_of_other_profile"
            if not group["vpc"] and group["profile"] == "alibaba":
                yield "world.group_vpc"
        for rule in self.all("rule").values():
            group = self.things["group", rule["group"]]
            alibaba = self._profile_of(group) == "alibaba"
            word, _, other = rule["remote"].partition(" ")
            if word == "group" and alibaba and other == rule["group"]:
                yield "InvalidParamter.Conflict"
            elif word == "group" and alibaba and self.things["group", other]["vpc"] != group["vpc"]:
                yield "InvalidSourceGroupId.Mismatch"
            if rule["source_ports"] and not alibaba:
                yield "world.five_tuple"
            entries = self.things.get(("address_group", rule["remote"]), {"entries": []})["entries"]
            if rule["protocol"] == "icmp" and entries and not any("." in entry for entry in entries):
                yield "InvalidParam.PrefixListAddressFamilyMismatch"
        for each in self.all("address_group").values():
            if len({"." in entry for entry in each["entries"]}) > 1:
                yield "world.mixed_family"
        for each in [*self.all("address_group").values(), *self.all("port_list").values()]:
            if len({*each["entries"]}) < len(each["entries"]):
                yield "world.duplicate"

    def _place_flaws(self) -> Iterator[str]:
        for port in self.all("port").values():
            groups = [self.things["group", name] for name in port["groups"]]
            if not groups:
                yield "world.no_group"
            if len({*port["groups"]}) < len(groups):
                yield "world.duplicate"
            for group in groups:
                if group["vpc"] and group["vpc"] != port["vpc"]:
                    yield "world.group_of_other_vpc"
                elif self._profile_of(group) != self._profile(port["vpc"]):
                    yield "world.group_of_other_profile"
        yield from self._hanging_flaws()
        owners = [*self.all("port").values(), *self.all("virtual_ip").values()]
        taken = Counter((it["vpc"], address) for it in owners for address in it["addresses"])
        if any(number > 1 for number in taken.values()):
            yield "world.address_in_use"
        for it in owners:
            subnet = self.things["subnet", it["subnet"]]
            nets = [ipaddress.ip_network(prefix) for prefix in (subnet["cidr"], subnet["cidr6"]) if prefix]
            if not all(any(ipaddress.ip_address(at) in net for net in nets) for at in it["addresses"]):
                yield "world.address_outside_subnet"
        for vip in self.all("virtual_ip").values():
            ports = [self.attached().get(name) for name in vip["ports"]]
            if None in ports:
                yield "world.unknown_port"
            if not ports or vip["active"] not in vip["ports"]:
                yield "world.virtual_ip"
            if any(port and port["subnet"] != vip["subnet"] for port in ports):
                yield "world.virtual_ip"
            if len({*vip["ports"]}) < len(ports):
                yield "world.duplicate"

    def _hanging_flaws(self) -> Iterator[str]:
        below = {name: port for name, port in self.all("port").items() if port["parent"]}
        places = Counter((port["parent"], port["vlan"]) for port in below.values())
        if any(number > 1 for number in places.values()):
            yield "world.duplicate"
        for name, port in below.items():
            parent = self.things["port", port["parent"]]
            if parent["parent"] or any(parent[key] != port[key] for key in ("instance", "vpc")):
                yield "world.supplementary"
            if not port["instance"]:
                continue
            if self._ports_of(port["instance"])[0] == name:
                yield "world.supplementary"
            if self._profile(self.things["port", self._ports_of(port["instance"])[0]]["vpc"]) == "alibaba":
                yield "limit.sub_ports_per_instance"

    def _network_flaws(self) -> Iterator[str]:
        pairs = Counter(tuple(sorted(it["vpcs"])) for it in self.all("peering").values())
        if any(number > 1 for number in pairs.values()):
            yield "world.duplicate"
        peers = [[other for pair in pairs if vpc in pair for other in pair if other != vpc] for vpc in self.all("vpc")]
        apart = [*pairs, *(pair for those in peers for pair in combinations(those, 2))]
        apart += [*combinations(self.all("vpc"), 2)] if self.all("outside_host") else []
        spaces = {name: vpc["cidrs"] for name, vpc in self.all("vpc").items()}
        if any(_overlap(spaces[one], spaces[two]) for one, two in apart if one != two):
            yield "world.overlap"
        subnets = [(it["vpc"], [it[key] for key in ("cidr", "cidr6") if it[key]]) for it in self.all("subnet").values()]
        if any(one[0] == two[0] and _overlap(one[1], two[1]) for one, two in combinations(subnets, 2)):
            yield "world.overlap"
        if any(one == two for one, two in pairs):
            yield "world.peering"
        for subnet in self.all("subnet").values():
            acl = self.things.get(("acl", subnet["acl"]))
            if acl and acl["vpc"] and acl["vpc"] != subnet["vpc"]:
                yield "world.acl_of_other_vpc"
            elif acl and not acl["vpc"] and self._profile(subnet["vpc"]) == "alibaba":
                yield "world.acl_vpc"
        lines = [("rules", it) for it in self.all("acl").values()] + [("border", it) for it in self.all("vpc").values()]
        if any(len({*it[name]}) < len(it[name]) for name, it in lines):
            yield "world.duplicate"

    def _other_flaws(self) -> Iterator[str]:
        machines = {port["instance"] for port in self.attached().values()}
        for penalty in self.all("penalty").values():
            if not (penalty["instance"] in machines or penalty["port"] in self.attached()):
                yield "world.unknown_port"
            if not penalty["reason"].strip():
                yield "input.notation"
        ends = machines | self.all("outside_host").keys() | self.all("virtual_ip").keys()
        for each in self.all("expectation").values():
            source, _, target, *_ = each["expect"].split()
            if not {source, target} <= ends:
                yield "input.unknown_name"
            if source == target:
                yield "world.expect"
        hosts = Counter(address for it in self.all("outside_host").values() for address in it["addresses"])
        if any(number > 1 for number in hosts.values()):
            yield "world.address_in_use"

    def _quotas(self) -> Iterator[str]:
        if len({it["target"] for it in self.all("quota").values()}) < len(self.all("quota")):
            yield "quota.exists"
        limits: dict[str, int] = {}
        for target in ("*", "operator" if self.speaking else TENANT):
            for quota in self.all("quota").values():
                limits |= quota["limits"] if quota["target"] == target else {}
        costs: Counter[str] = Counter()
        for rule in self.all("rule").values():
            costs[rule["group"]] += self._cost(rule)
        for name, cost in costs.items():
            usual = 200 if self._profile_of(self.things["group", name]) == "alibaba" else 50
            if cost > limits.get("rules_per_group", usual):
                yield "AuthorizationLimitExceed"
        if len(self.all("group")) > limits.get("groups_per_account", 100):
            yield "QuotaExceed.SecurityGroup"

    def _cost(self, rule: Thing) -> int:
        ranges: int = rule["ports"].count(",") + 1
        families = 2 if rule["remote"] == "any" and rule["protocol"] not in ("icmp", "icmpv6") else 1
        if self._profile_of(self.things["group", rule["group"]]) != "alibaba":
            return families
        entries = self.all("address_group").get(rule["remote"], {"entries": []})["entries"]
        ports = self.all("port_list").get(rule["ports"], {"entries": []})["entries"]
        return families * ranges * max(1, len(entries)) * max(1, len(ports))


def _first(prefix: str, count: int) -> Iterator[Any]:
    net = ipaddress.ip_network(prefix)
    return (net[number] for number in range(2, count))


def _put_in_order(thing: Thing) -> None:
    """Lists whose order says nothing."""
    for name in ("vpcs", "ports", "serve"):
        if isinstance(thing.get(name), list):
            thing[name].sort()


def _overlap(one: list[str], two: list[str]) -> bool:
    nets = [[ipaddress.ip_network(prefix) for prefix in prefixes] for prefixes in (one, two)]
    return any(a.version == b.version and a.overlaps(b) for a, b in product(*nets))


def _is_list(word: str) -> bool:
    """Whether a side of a rule is the id of an address group."""
    return word not in ("any", "group") and not set(word) & set("/:.")


def _is_port_list(ports: str) -> bool:
    """Whether the ports of a rule are the id of a port list."""
    return bool(ports) and not ports[0].isdigit()


def _settle_list(thing: Thing, *, strict: bool) -> None:
    """What follows from the entries: the family, if there was none, and of which there may be remarks."""
    entries = thing["entries"]
    if strict and not {*thing["remarks"]} <= {*entries}:
        raise Refusal("input.notation")
    thing["remarks"] = {entry: remark for entry, remark in thing["remarks"].items() if entry in entries}
    families = {"ipv4" if "." in entry else "ipv6" for entry in entries}
    if "family" in thing and len(families) == 1:
        thing["family"] = thing["family"] or next(iter(families))
    if thing.get("family") and families and thing["family"] not in families:
        raise Refusal("input.notation")


def _meaning(rule: Thing) -> str:
    """What makes a rule this rule and no other."""
    names = ("direction", "action", "protocol", "ports", "remote", "priority", "local", "source_ports", "nic")
    return json.dumps([rule[name] for name in names])


def _named(kind: str, thing: Thing) -> set[Ref]:
    """The things that a thing names."""
    found: set[tuple[str, str]] = set()
    if kind in ("subnet", "group", "acl"):
        found.add(("vpc", thing["vpc"]))
    if kind == "subnet":
        found.add(("acl", thing["acl"]))
    if kind == "rule":
        found.add(("group", thing["group"]))
        word, _, other = thing["remote"].partition(" ")
        if word == "group":
            found.add(("group", other))
        elif _is_list(word):
            found.add(("address_group", word))
        if _is_port_list(thing["ports"]):
            found.add(("port_list", thing["ports"]))
    if kind == "peering":
        found |= {("vpc", vpc) for vpc in thing["vpcs"]}
    for words in (line.split() for name in LINES for line in thing.get(name, ())):
        sides = [word for before, word in pairwise(words) if before in ("from", "to")]
        found |= {("address_group", word) for word in sides if _is_list(word)}
    if kind in ("port", "virtual_ip"):
        found.add(("subnet", thing["subnet"]))
    if kind == "port":
        found |= {("group", group) for group in thing["groups"]} | {
            ("instance", thing["instance"]),
            ("port", thing["parent"]),
        }
    if kind == "virtual_ip":
        found |= {("port", port) for port in thing["ports"]}
    if kind == "penalty":
        found |= {("instance", thing["instance"]), ("port", thing["port"])}
    return {(each, name) for each, name in found if name}


def _code_of(kind: str, target: Ref, *, gone: bool) -> Iterator[str]:
    """The codes of a name that names nothing."""
    if gone:
        yield "DependencyViolation" if target[0] == "group" else "resource.in_use"
    if target[0] == "address_group":
        yield "InvalidPrefixListId.NotFound"
    elif target[0] == "port_list":
        yield "InvalidPortRangeListId.NotFound"
    elif target[0] == "group":
        yield "InvalidSourceGroupId.NotFound" if kind == "rule" else "InvalidSecurityGroupId.NotFound"
    else:
        yield "resource.not_found"
