"""Who can reach whom, asked of the service: in the account's names, and of others only that they are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.analysis.reach.answer import Answer
from ringfence.analysis.reach.names import OTHERS
from ringfence.control import reaching
from ringfence.control.exporting import world_of
from ringfence.control.reaching import Reachability, Reaching
from ringfence.control.view import View
from ringfence.errors import InvalidInput, UnknownName
from ringfence.model.service import Service as Asked
from ringfence.resources.kind import Kind
from ringfence.resources.state import State
from tests.control.service import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.fresh(tmp_path) as made:
        yield made


def tenant(service: Service, name: str) -> Service:
    return service.acting(account=service.make(Kind.ACCOUNT, name=name).id, home="operator")


def instance(of: Service, name: str, subnet: str, address: str, *groups: str) -> str:
    port = {"subnet": subnet, "addresses": [address], "groups": list(groups)}
    return of.make(Kind.INSTANCE, name=name, ports=[port]).id


def group(of: Service, name: str, vpc: str, *rules: str) -> str:
    made = of.make(Kind.GROUP, name=name, vpc=vpc).id
    for rule in rules:
        of.make(Kind.RULE, group=made, rule=rule)
    return made


def shared(service: Service) -> tuple[Service, Service, dict[str, str]]:
    """Ann's VPC with a web server, shared with Bob, who has a database there that the web server may use."""
    ann, bob = tenant(service, "ann"), tenant(service, "bob")
    vpc = ann.make(Kind.VPC, name="shop", cidrs=["10.0.0.0/16"], shared_with=[bob.caller.account]).id
    subnet = ann.make(Kind.SUBNET, name="web", vpc=vpc, cidr="10.0.1.0/24").id
    ids = {"vpc": vpc, "subnet": subnet}
    ids["sg-web"] = group(ann, "sg-web", vpc, "in allow tcp 80 from any", "out allow all to any")
    ids["web"] = instance(ann, "web", subnet, "10.0.1.11", ids["sg-web"])
    rules = ("in allow tcp 3306 from 10.0.1.0/28", "in allow tcp 22 from 203.0.113.7/32", "in allow tcp 22 from any")
    ids["sg-db"] = group(bob, "sg-db", vpc, *rules, "out allow tcp 80 to any")
    ids["db"] = instance(bob, "db", subnet, "10.0.1.31", ids["sg-db"])
    return ann, bob, ids


def told(of: Service, source: str = "", destination: str = "", service: str = "") -> Answer:
    asked = Asked.parse(service) if service else None
    return Reachability(View(of.control.state, of.caller.account)).answer(source, destination, asked)


def lines(found: Answer) -> list[str]:
    return [f"{', '.join(it.sources)} -> {', '.join(it.destinations)}: {'; '.join(it.services)}" for it in found.ways]


def test_an_account_is_told_of_its_own_in_its_names(service: Service) -> None:
    ann, bob, ids = shared(service)
    assert lines(told(ann)) == [
        "outside -> web.eth0: tcp 80",
        f"web.eth0 -> {OTHERS}: tcp 22,3306",
        f"{OTHERS} -> web.eth0: tcp 80",
        f"web.eth0 -> outside: {lines(told(ann, 'web', 'internet'))[0].partition(': ')[2]}",
    ]
    assert lines(told(bob, "", "db", "tcp/3306")) == [f"{OTHERS} -> db.eth0: tcp 22,3306"]
    assert [it.example for it in told(bob, "db").ways] == ["", "db -> 1.0.0.0 tcp/80"]
    for of, own, others in ((ann, "web", ids["db"]), (bob, "db", ids["web"])):
        said = json.dumps([told(of, *asked).as_json() for asked in (("",), (own,), ("", own), ("internet",))])
        hidden = {*ids.values(), "/28", "203.0.113"} - {ids["vpc"]}  # which is shared, and so Bob's to name
        assert not [word for word in hidden if word in said], said
        for name in (others, "sg-db" if of is ann else "sg-web", ids["vpc"]):
            with pytest.raises(UnknownName):
                told(of, name)


def test_what_others_tell_apart_is_not_told(service: Service) -> None:
    """Neither by a list of all, nor by asking for one address after the other."""
    ann, *_ = shared(service)
    for address in ("203.0.113.7", "203.0.113.8"):
        (way,) = told(ann, address).ways
        assert (way.sources, way.destinations) == ((address,), ("web.eth0",))
        end = next(it for it in told(ann, address).ends if it.name == address)
        assert (end.size, end.members) == (0, ())
    assert {it.name for it in told(ann).ends} == {"web.eth0", OTHERS, "outside"}


def test_what_others_let_in_does_not_show_in_what_is_ones_own(service: Service) -> None:
    """Ann's web server takes more from one address than Bob's: his answers are the same without her rules."""
    ann, bob, ids = shared(service)
    site = group(bob, "sg-site", ids["vpc"], "in allow tcp 80 from any", "in allow tcp 443 from any")
    instance(bob, "site", ids["subnet"], "10.0.1.32", site)
    questions = (("",), ("internet",), ("", "site"), ("", "internet"))
    before = [told(bob, *asked) for asked in questions]
    for rule in ("in allow tcp 22 from 198.51.96.0/20", "in allow tcp 443 from 203.0.113.9/32"):
        ann.make(Kind.RULE, group=ids["sg-web"], rule=rule)
    assert before == [told(bob, *asked) for asked in questions]


def test_a_name_that_is_another_accounts_id_means_ones_own(service: Service) -> None:
    ann, bob, ids = shared(service)
    own = instance(ann, ids["db"], ids["subnet"], "10.0.1.12", ids["sg-web"])
    assert lines(told(ann, "internet", "", "tcp/80")) == ["outside -> sg-web (2 addresses): tcp 80"]
    assert own != ids["db"]
    assert told(bob, "", "db").ways[0].sources == ("outside",)


def test_too_much_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, *_ = shared(service)
    monkeypatch.setattr(reaching, "MOST", 5)
    assert lines(told(ann, "internet")) == ["outside -> web.eth0: tcp 80"]
    with pytest.raises(InvalidInput, match="ask for less"):
        told(ann)


def test_what_was_worked_out_is_kept_for_the_last_few(service: Service) -> None:
    ann, bob, _ = shared(service)
    kept, asked = Reaching(), []

    def state() -> State:
        asked.append(1)
        return service.control.state

    one = kept.of(7, ann.caller.account, state)
    assert kept.of(7, ann.caller.account, state) is one
    others = [kept.of(number, bob.caller.account, state) for number in range(4)]
    assert one not in others
    assert len(asked) == 5
    assert kept.of(7, ann.caller.account, state) is not one


def test_the_names_of_an_account_alone_are_those_of_its_world_file(service: Service) -> None:
    ann, *_ = shared(service)
    found = world_of(service.control.state, ann.caller.account)
    named = {member for end in told(ann).ends for member in end.members}
    assert named <= {*found.instances, *found.outside}
