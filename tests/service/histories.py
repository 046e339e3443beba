"""Histories of the service beside a plain model of it, and the laws that hold at every moment of one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from ringfence import worldfile
from ringfence.compile.compiler import Compilation, compile_world
from ringfence.control import (
    addressing,
    attaching,
    basic,
    entries,
    machines,
    membership,
    rules,
    tagging,
)
from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.draft import Draft
from ringfence.control.identity import Identities
from ringfence.errors import InvalidFields, Refused, RingfenceError
from ringfence.model.validation import problems
from ringfence.resources.edits import edits_of
from ringfence.resources.kind import IDENTITY, Kind
from ringfence.resources.resource import ResourceChange, squashed
from ringfence.resources.state import State
from ringfence.security.keyring import Keyring
from ringfence.store.store import Store
from tests.compile.test_incremental import agrees
from tests.service.plain import TENANT, Plain, Ref, Step, Thing, Things

OPERATOR = Caller("operator", operator=True, source="127.0.0.1", request_id="history")


def opened(directory: Path, url: str = "") -> tuple[Control, Identities]:
    """The service on a new store."""
    control = Control(Store.open(url or f"sqlite:///{directory / 'ringfence.db'}"))
    identities = Identities(control, Keyring.load(directory / "key"))
    identities.bootstrap()
    with control.change(OPERATOR, "CreateAccount") as draft:
        basic.create(draft, Kind.ACCOUNT, {"name": TENANT})
    return control, identities


def closed(control: Control) -> None:
    """The end of a service."""
    control.store.close()


def ask(draft: Draft, step: Step) -> None:
    """One step, by the operation that there is for it."""
    kind, said = Kind(step.kind), step.said
    operations: Mapping[str, Callable[[], object]] = {
        "create": lambda: basic.create(draft, kind, said),
        "update": lambda: basic.update(draft, kind, step.ref, said),
        "delete": lambda: basic.delete(draft, kind, step.ref, **said),
        "authorize": lambda: rules.authorize(draft, step.ref, said),
        "revoke": lambda: rules.revoke(draft, step.ref, ids=said),
        "join": lambda: membership.join(draft, step.ref, said),
        "leave": lambda: membership.leave(draft, step.ref, said),
        "set_groups": lambda: membership.set_groups(draft, [step.ref], said),
        "edit_entries": lambda: entries.edit_entries(draft, kind, step.ref, said["add"], said["remove"]),
        "tag": lambda: tagging.tag(draft, kind, step.ref, said),
        "untag": lambda: tagging.untag(draft, kind, step.ref, said),
        "attach": lambda: attaching.attach(draft, step.ref, **said),
        "detach": lambda: attaching.detach(draft, step.ref, **said),
        "hang": lambda: attaching.hang(draft, step.ref, **said),
        "assign": lambda: addressing.assign(draft, step.ref, **said),
        "unassign": lambda: addressing.unassign(draft, step.ref, said),
        "move": lambda: machines.move(draft, step.ref, **said),
        "start": lambda: machines.start(draft, step.ref),
        "stop": lambda: machines.stop(draft, step.ref),
        "reboot": lambda: machines.reboot(draft, step.ref),
        "release": lambda: machines.release(draft, step.ref, **said),
    }
    operations[step.verb]()


def codes_of(error: RingfenceError) -> set[str]:
    """The codes by which a refusal says why."""
    if isinstance(error, InvalidFields):
        return {problem.code for problem in error.problems}
    assert isinstance(error, Refused), repr(error)
    return {error.reason}


@dataclass
class Follower:
    """One who enforces: keeps a compilation, follows single edits, and compiles anew where they are more."""

    state: State
    followed: int = 0
    compilation: Compilation = field(init=False)

    def __post_init__(self) -> None:
        self.compilation = Compilation(self.state.world)

    def take(self, after: State, changes: Sequence[ResourceChange]) -> None:
        """Follow some changes, and be where a compilation from scratch is (kube-ovn#4975)."""
        before, edits = self.compilation.plan().vpcs, edits_of(self.state, after, changes)
        self.state = after
        wanted = compile_world(after.world).vpcs
        if edits is None:
            self.compilation = Compilation(after.world)
            return
        for edit in edits:
            found = self.compilation.follow(edit)
            if found is None:
                self.compilation = Compilation(after.world)
                break
            here = self.compilation.plan().vpcs
            for name, change in found.items():
                agrees(before[name], change, here[name])
            before = here
            self.followed += 1
        assert self.compilation.plan().vpcs == wanted


@dataclass
class History:
    """A history: what was asked for, what the model makes of it, and what the service makes of it."""

    control: Control
    account: str = "operator"
    plain: Plain = field(init=False)
    refused: int = 0
    states: list[State] = field(default_factory=list)
    changes: list[tuple[ResourceChange, ...]] = field(default_factory=list)
    """Of each revision; ``states`` has one more, what was there before the first."""

    def __post_init__(self) -> None:
        self.plain = Plain(speaking=self.account == "operator")
        self.states.append(self.control.state)
        self.follower = Follower(self.control.state)

    def request(self, steps: list[Step]) -> None:
        """Ask both; they must agree whether it may be, why not, and what comes of it."""
        wanted, flaws = self.plain.request(steps)
        before, said = self.control.state, "; ".join(map(str, steps))
        changes, refusal = self._asked(steps)
        if refusal:
            assert codes_of(refusal) <= flaws, f"{said}: refused ({refusal}), and the model says {flaws or 'it may be'}"
            assert self.control.state is before
            self.refused += 1
            return
        assert not flaws, f"{said}: done, and the model says {flaws}"
        made: dict[str, list[str]] = {}
        for change in changes:
            if change.after and not change.before and change.key.id not in _ids(wanted, change.key.kind.value):
                made.setdefault(change.key.kind.value, []).append(change.key.id)
        self.plain = wanted.known_by(made)
        self.check_things()
        if changes:
            self.states.append(self.control.state)
            self.changes.append(changes)
            self.follower.take(self.control.state, changes)

    def _asked(self, steps: list[Step]) -> tuple[tuple[ResourceChange, ...], RingfenceError | None]:
        """What the service makes of a request: changes, or a refusal."""
        caller = replace(OPERATOR, account=self.account, home="operator")
        try:
            with self.control.change(caller, "History") as draft:
                for step in steps:
                    ask(draft, step)
                return draft.changes, None
        except (InvalidFields, Refused) as refusal:
            return (), refusal

    # --- laws

    def check_things(self) -> None:
        """The same things with the same fields, and the same who refers to whom."""
        state = self.control.state
        told = {(it.kind.value, it.id): _told(it.shown()) for it in _network(state)}
        assert not _differing(told, self.plain.things)
        for ref in told:
            assert [(key.kind.value, key.id) for key in state.referrers(_key(ref))] == self.plain.users(ref)

    def check_store(self) -> None:
        """Another process on the same store sees the same, no revision is missing, and the world is valid."""
        state, fresh = self.control.state, Control(self.control.store).state
        same(fresh, state)
        assert problems(state.world) == ()
        numbers = [revision.number for revision in self.control.store.revisions(0, 10_000)]
        assert numbers == [*range(1, state.revision + 1)]

    def check_world(self) -> None:
        """The world is what a world file says that is written from the model."""
        read = worldfile.parse(yaml.safe_dump(as_world_file(self.plain), sort_keys=False), "the model")
        found, wanted = (yaml.safe_load(worldfile.dump(world)) for world in (self.control.state.world, read))
        for section in found.keys() | wanted.keys():
            assert found.get(section) == wanted.get(section), section

    def check_replays(self, chance: random.Random) -> None:
        """Squashed, split otherwise, reversed to the beginning, and from the store: always the same."""
        first, last = self.states[0], self.states[-1]
        whole = squashed(change for changes in self.changes for change in changes)
        same(first.after(last.revision, whole), last)
        Follower(first).take(last, whole)
        follower, behind = Follower(first), list[ResourceChange]()
        for state, changes in zip(self.states[1:], self.changes, strict=True):
            behind += changes
            if chance.random() < 0.4:
                same(follower.state.after(state.revision, squashed(behind)), state)
                follower.take(state, squashed(behind))
                behind = []
        follower, state = Follower(last), last
        for earlier, changes in zip(self.states[-2::-1], self.changes[::-1], strict=True):
            back = tuple(change.reversed for change in changes[::-1])
            state = state.after(earlier.revision, back)
            same(state, earlier)
            follower.take(state, back)
        state = first
        for revision, changes in self.control.past(first.revision):
            state = state.after(revision.number, changes)
            same(state, self.states[revision.number - first.revision])
        middle = chance.choice(self.states)
        same(self.control.as_of(middle.revision), middle)


def same(one: State, two: State) -> None:
    """Two states are the same in everything that they say."""
    assert (one.revision, one.resources) == (two.revision, two.resources)
    assert (one._referrers, one._owned, one._named) == (two._referrers, two._owned, two._named)
    for name in one.world.__dataclass_fields__:
        assert getattr(one.world, name) == getattr(two.world, name), name


def _differing(one: Things, two: Things) -> dict[Ref, object]:
    """What two say otherwise of the same things; what only one has stands as it is."""
    return {
        ref: {
            name: (one[ref].get(name), two[ref].get(name)) for name in one[ref] if one[ref][name] != two[ref].get(name)
        }
        if ref in one and ref in two
        else (one.get(ref), two.get(ref))
        for ref in one.keys() | two.keys()
        if one.get(ref) != two.get(ref)
    }


def _ids(plain: Plain, kind: str) -> set[str]:
    return {*plain.all(kind)}


def _network(state: State) -> Iterator[Any]:
    return (it for it in state.resources.values() if it.kind not in IDENTITY)


def _told(shown: Thing) -> Thing:
    return {name: it for name, it in shown.items() if name not in ("id", "kind", "account", "created", "rule")}


def _key(ref: Ref) -> Any:
    from ringfence.resources.naming import Key

    return Key(Kind(ref[0]), ref[1])


# --- the model as a world file


def as_world_file(plain: Plain) -> dict[str, Any]:
    """What the model holds, as the content of a world file."""
    named: dict[str, Callable[[str, Thing], Any]] = {
        "vpcs": lambda name, it: _vpc(plain, name, it),
        "address_groups": lambda _, it: it["entries"],
        "port_lists": lambda _, it: it["entries"],
        "groups": lambda name, it: _group(plain, name, it),
        "acls": lambda _, it: {name: it[name] for name in ("vpc", "enabled", "rules", "description") if it[name] != ""},
        "virtual_ips": lambda _, it: _place(it) | _behind(plain, it),
        "outside": lambda _, it: it["addresses"],
    }
    kinds = ("vpc", "address_group", "port_list", "group", "acl", "virtual_ip", "outside_host")
    content = {
        section: {name: make(name, it) for name, it in plain.all(kind).items()}
        for (section, make), kind in zip(named.items(), kinds, strict=True)
    }
    instances = {name: _instance(plain, name, it) for name, it in plain.all("instance").items()}
    peerings = [
        {"name": name, "vpcs": it["vpcs"], "firewall": it["firewall"]} for name, it in plain.all("peering").items()
    ]
    penalties = sorted(plain.all("penalty").items(), reverse=True)
    expected = sorted({it["expect"] for it in plain.all("expectation").values()})
    return {
        **{name: section for name, section in content.items() if section},
        "instances": {name: it for name, it in instances.items() if it["ports"]},
        "peerings": peerings,
        "blocks": {it["instance"] or _port_name(plain, it["port"]): it["reason"] for _, it in penalties},
        "expect": expected,
    }


def _vpc(plain: Plain, name: str, it: Thing) -> Thing:
    subnets = {
        subnet: {key: own[key] for key in ("cidr", "cidr6", "acl") if own[key]}
        for subnet, own in plain.all("subnet").items()
        if own["vpc"] == name
    }
    return {"cidrs": it["cidrs"], "profile": it["profile"], "subnets": subnets, "border": it["border"]}


def _group(plain: Plain, name: str, it: Thing) -> Thing:
    own = [(id_, rule) for id_, rule in sorted(plain.all("rule").items()) if rule["group"] == name]
    names = ("direction", "action", "protocol", "ports", "remote", "priority", "enabled", "description")
    more = ("source_ports", "local")
    listed = [
        {"id": id_} | {key: rule[key] for key in (*names, *more) if rule[key] not in ("", None)} for id_, rule in own
    ]
    said = {key: it[key] for key in ("vpc", "profile", "description", "tags") if it[key]}
    return {
        **said,
        "account": _account(plain),
        "intra_group": it["intra_group"],
        "ftp_helper": it["ftp_helper"],
        "rules": listed,
    }


def _port_name(plain: Plain, id_: str) -> str:
    port = plain.things["port", id_]
    return f"{port['instance']}.{port['name']}"


def _behind(plain: Plain, it: Thing) -> Thing:
    return {"ports": [_port_name(plain, port) for port in it["ports"]], "active": _port_name(plain, it["active"])}


def _account(plain: Plain) -> str:
    return "operator" if plain.speaking else TENANT


def _instance(plain: Plain, name: str, it: Thing) -> Thing:
    own = [port for port in plain.all("port").values() if port["instance"] == name]
    own.sort(key=lambda port: (port["index"], port["name"]))
    ports = {port["name"]: _place(port) | {"groups": port["groups"]} | _below(plain, port) for port in own}
    return {"ports": ports, "serve": it["serve"], "account": _account(plain)}


def _below(plain: Plain, port: Thing) -> Thing:
    parent = plain.things.get(("port", port["parent"]))
    return {"parent": parent["name"], "vlan": port["vlan"]} if parent else {}


def _place(it: Thing) -> Thing:
    keys: dict[str, list[str]] = {}
    for address in it["addresses"]:
        keys.setdefault("ip6" if ":" in address else "ip", []).append(address)
    return {"subnet": f"{it['vpc']}/{it['subnet']}"} | keys
