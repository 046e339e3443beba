"""What an account is told of the world that accounts share: its own things, by names that lead back to these alone.

The names and ids of three accounts collide on purpose: the operator's ids are names that others like as well, and
whoever comes later calls things by the ids of those who were there before. What an account may not see has words that
nothing else has, so that any of them in an answer is a leak.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ringfence.analysis.lint.report import Told
from ringfence.analysis.reach.answer import Kind as Where
from ringfence.analysis.reach.names import INTERNET
from ringfence.analysis.why.asking import Question
from ringfence.control.caller import Caller
from ringfence.control.declaring import Words
from ringfence.control.explaining import Explainer
from ringfence.control.fixing import Fixer
from ringfence.control.foresight import Foresight
from ringfence.control.linting import findings
from ringfence.control.planning import plan
from ringfence.control.reaching import Reachability
from ringfence.control.view import OTHERS, View
from ringfence.errors import RingfenceError, UnknownName
from ringfence.model.flow import Query
from ringfence.model.rule import GroupRemote, Rule
from ringfence.model.service import Service
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.store.rows import now
from tests.declare.desk import Desk

WORDS = ("web", "db", "any-net", "eth0", "tcp80")
PORTS = (80, 443, 3306)


@dataclass
class Estate:
    """Three accounts that are in each other's VPCs."""

    desk: Desk
    random: Random
    ids: list[str] = field(default_factory=list)
    subnets: list[str] = field(default_factory=list)
    count: int = 0

    def name(self) -> str:
        """A name that others have as a name or as an id, or one that nobody has."""
        self.count += 1
        return self.random.choice([f"own-{self.count}", *WORDS, *self.ids[-12:]])

    def make(self, caller: Caller, kind: Kind, **said: object) -> str:
        """Something new; its id."""
        made = self.desk.make(caller, kind, **said).id
        self.ids.append(made)
        return made

    def prefix(self) -> str:
        """A prefix that nothing else names."""
        self.count += 1
        return f"198.{18 + self.count // 250}.{self.count % 250}.0/24"

    def settle(self, caller: Caller, everybody: list[Caller]) -> None:
        """What one account has: a VPC that it may share, groups, lists and an ACL, and machines wherever it may."""
        random, number = self.random, len(self.subnets)
        friends = [it.account for it in everybody if it.account != caller.account and random.random() < 0.6]
        profile = random.choice(["huawei", "alibaba"])
        border = random.choice([[], ["in deny tcp 3306 from any to any"]])
        vpc = self.make(caller, Kind.VPC, name=self.name(), cidrs=[f"10.{number}.0.0/16"], shared_with=friends,
                        profile=profile, border=border)  # fmt: skip
        lines = ["in deny tcp 443 from any to any", "in allow all from any to any", "out allow all from any to any"]
        acl = self.make(caller, Kind.ACL, name=self.name(), vpc=vpc, rules=lines)
        at = {"vpc": vpc, "cidr": f"10.{number}.1.0/24", "acl": random.choice(["", acl])}
        self.subnets.append(self.make(caller, Kind.SUBNET, name=self.name(), **at))
        office = self.make(caller, Kind.ADDRESS_GROUP, name=self.name(), entries=[self.prefix()])
        with suppress(RingfenceError):  # another end has the operator's name of it for its id
            self.make(caller, Kind.OUTSIDE_HOST, name=self.name(), addresses=[self.prefix().replace(".0/24", ".7")])
        for subnet in self.subnets:
            with suppress(RingfenceError):  # it is not shared
                self.machine(caller, subnet, office)

    def machine(self, caller: Caller, subnet: str, office: str) -> None:
        """A group with rules, and a machine in it."""
        vpc = self.desk.control.state.get(Kind.SUBNET, subnet)
        assert vpc
        group = self.make(caller, Kind.GROUP, name=self.name(), vpc=getattr(vpc.value, "vpc", ""))
        remotes = (f"group {group}", self.prefix(), office, "any")
        for port in PORTS:
            line = f"in {self.random.choice(['allow', 'deny'])} tcp {port} from {self.random.choice(remotes)}"
            self.desk.make(caller, Kind.RULE, group=group, rule=line)
        for remote in self.foreign(caller):
            with suppress(RingfenceError):  # not everybody's profile has it
                self.desk.make(caller, Kind.RULE, group=group, rule=f"in allow tcp 25 from {remote}")
        self.desk.make(caller, Kind.RULE, group=group, rule="out allow all to any")
        self.count += 1
        address = f"10.{self.subnets.index(subnet)}.1.{10 + self.count % 200}"
        port_ = {"subnet": subnet, "addresses": [address], "groups": [group]}
        self.make(caller, Kind.INSTANCE, name=self.name().replace(".", "-"), ports=[port_], serve=["tcp/80"])

    def foreign(self, caller: Caller) -> Iterator[GroupRemote]:
        """A group of another account that a rule may name in some clouds."""
        known = [it for it in self.desk.control.state.of_kind(Kind.GROUP) if it.account != caller.account]
        if known and self.random.random() < 0.5:
            it = self.random.choice(known)
            yield GroupRemote(it.id, it.account)


def estate(path: Path, seed: int) -> tuple[Estate, list[Caller]]:
    made = Estate(Desk(path), Random(seed))
    everybody = [made.desk.caller(), made.desk.tenant("ann"), made.desk.tenant("bob")]
    for caller in (*everybody, *made.random.sample(everybody, 2)):
        made.settle(caller, everybody)
    return made, everybody


# --- what may be told


def secrets(view: View) -> set[str]:
    """Words of others that nothing of the account's is called by, and that it may not speak of."""
    state = view.state
    others = [it for it in state.resources.values() if it.account != view.account and it.kind is not Kind.ACCOUNT]
    words = {word for it in others for word in (it.id, it.name) if word}
    words |= {word for it in others for word in str(it.shown()).replace("'", " ").split() if word.startswith("198.")}
    mine = json.dumps([it.shown() for it in state.resources.values() if it.account == view.account])
    shared = {it.id for it in others if it.kind is Kind.VPC and it.id in view.own.vpcs}
    shared |= {subnet for vpc in shared for subnet in view.own.vpcs[vpc].subnets}
    spoken = {"tcp80", "eth0", "any-net", "settings", *WORDS}  # the harness's own
    return {word for word in words - shared - spoken if word.startswith("198.") or word.partition(".")[0] not in mine}


def texts(told: Any) -> Iterator[str]:
    """Every string of an answer."""
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for each in told.values():
            yield from texts(each)
    elif isinstance(told, list | tuple):
        for each in told:
            yield from texts(each)


def leaks(told: Any, hidden: set[str], asked: str = "") -> list[tuple[str, str]]:
    return [(word, text) for text in texts(told) for word in hidden if word in text and word not in asked]


# --- whether it leads back


def check_rule(view: View, group: str, text: str) -> None:
    """A rule that is told of a group is one of the account's own group of that name."""
    keys = {rule.key for rule in view.own.groups[group].rules}
    account = f"group {view.account}/"
    assert Rule.parse(text.replace(account, "group ")).key in keys, (group, text)


def check_step(view: View, step: dict[str, Any]) -> None:
    if step["text"] == OTHERS:
        assert (step["port"], step["place"], step["group"], step["rule_id"]) == (None, None, None, "")
        return
    if step["port"]:
        found = view.own.resolve(step["port"])
        assert isinstance(found, Port)
        if step["stage"] in ("ingress", "egress"):
            assert not step["group"] or step["group"] in found.groups
    if step["group"] and step["stage"] in ("ingress", "egress") and step["rule_id"].startswith("sgr-"):
        check_rule(view, step["group"], step["text"])
    for late in step["late"] if step["stage"] in ("ingress", "egress") else ():
        check_rule(view, late["group"], late["text"])


def check_why(view: View, told: dict[str, Any]) -> None:
    for step in (*told["stages"], *told["back"], *told["blockers"]):
        check_step(view, step)
    for blocker in told["blockers"]:
        assert set(blocker["groups"]) <= view.own.groups.keys()
        for near in blocker["near_misses"] if blocker["stage"] in ("ingress", "egress") else ():
            check_rule(view, near["group"], near["text"])


def check_fixes(view: View, told: dict[str, Any]) -> None:
    for command in (each for fix in (*told["fixes"], *told["withheld"]) for each in fix["commands"]):
        match shlex.split(command):
            case ["ringfence", "rule", _, group, rule, *_] if rule.startswith(("in ", "out ")):
                assert group in view.own.groups, command
                remote = Rule.parse(rule).remote
                if isinstance(remote, GroupRemote):
                    assert remote.name in view.own.groups, command
            case ["ringfence", "address-group", _, name, *_]:
                assert name in view.own.address_groups, command


def check_reach(view: View, found: Any) -> None:
    for end in found.ends:
        assert end.kind is not Where.OTHERS or (end.vpc, end.groups, end.members) == ("", (), ())
        for member in end.members if end.kind is Where.INSIDE else ():
            port = view.own.resolve(member)
            assert isinstance(port, Port)
            assert (port.vpc, port.groups) == (end.vpc, end.groups)
    for way in found.ways:
        if way.example:
            assert Explainer(view).verdict(Query.parse(way.example)).allowed, way


def check_plan(view: View, told: dict[str, Any]) -> None:
    """Examples and causes lead back, in the world before or after."""
    for turned in (*told["allowed"], *told["denied"]):
        if turned["example"]:
            Explainer(view).verdict(Query.parse(turned["example"]))
        if turned["because"]:
            check_owners(view, turned["because"])


def check_owners(view: View, step: dict[str, Any]) -> None:
    """Whose port and whose group a step names."""
    if step["port"]:
        assert isinstance(view.own.resolve(step["port"]), Port)
    if step["group"] and step["stage"] in ("ingress", "egress"):
        assert step["group"] in view.own.groups


def edited(view: View, random: Random) -> World:
    """What an account has with some rules less, and one for anybody."""
    groups = dict(view.own.groups)
    mine = sorted(name for name in groups if view.has("groups", name))
    for name in random.sample(mine, min(2, len(mine))):
        kept = [rule for rule in groups[name].rules if random.random() < 0.6]
        groups[name] = replace(groups[name], rules=(*kept, Rule.parse(f"in allow tcp {random.choice(PORTS)} from any")))
    return replace(view.own, groups=groups)


def planned(view: View, caller: Caller, random: Random) -> tuple[Any, View]:
    """What a plan tells of that; with what there would be."""
    made = plan(view.state, caller, edited(view, random), now())
    expected = [Explainer(made.views[1]).told_unmet(each) for each in Explainer(made.views[1]).unmet()]
    found = Foresight().told(*made.views)
    return {"changes": Words(made).all(), "reachability": found, "expectations": expected}, made.views[1]


def asked(view: View, random: Random) -> Iterator[Question]:
    """What it may ask: of its own, of neighbours' addresses, of the internet."""
    around = view.around.instances.values()
    theirs = [str(port.addresses[0]) for it in around for port in it.ports if not view.owns(Kind.INSTANCE, it.name)]
    own = [*view.own.instances]
    ends = [*own, *view.own.groups, INTERNET, "203.0.113.9", *theirs]
    some = [random.sample(ends, 2) for _ in range(6)] + [random.sample([it, own[0]], 2) for it in theirs[:6] if own]
    for source, destination in some:
        yield Question(source, destination, Service.parse(f"tcp/{random.choice(PORTS)}"))


@pytest.mark.parametrize("seed", range(8))
def test_what_is_told_is_ones_own_by_names_that_lead_back_to_it(seed: int, tmp_path: Path) -> None:
    made, everybody = estate(tmp_path, seed)
    for caller in everybody:
        view = View(made.desk.control.state, caller.account)
        hidden = secrets(view)
        for question in asked(view, made.random):
            with suppress(UnknownName):
                why = Explainer(view).answer(question)
                said = f"{question.source} {question.destination}"
                for each in [it["example"] for it in why["outcomes"]] if "outcomes" in why else [why]:
                    check_why(view, dict(each))
                assert not leaks(why, hidden, said)
                if "outcomes" not in why:
                    fix = Fixer(view, Foresight()).told(question)
                    check_fixes(view, fix)
                    assert not leaks(fix, hidden, said)
        found = Reachability(view).answer("", "", None)
        check_reach(view, found)
        assert not leaks(found.as_json(), hidden)
        told, after = planned(view, caller, made.random)
        check_plan(after, told["reachability"])
        assert not leaks(told, hidden)
        lint = [Told.of(it) for it in findings(view)]
        for finding in lint:
            if finding.kind == "group":
                assert finding.name in view.own.groups
                if finding.rule:
                    check_rule(view, finding.name, finding.rule)
        assert not leaks([it.as_json() for it in lint], hidden)
    made.desk.store.close()
