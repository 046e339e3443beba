"""Accounts apart: nobody makes anything that hangs on what is another account's, whatever else they say beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.control.caller import Caller
from ringfence.control.membership import leave
from ringfence.control.view import View
from ringfence.errors import Forbidden, InvalidFields, NotFound, Refused
from ringfence.resources.kind import Kind

from ..declare.desk import Desk

Ids = dict[str, str]
_NOTHING = '{"Version": "1", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'


def furnish(desk: Desk, who: Caller, profile: str) -> Ids:
    """One thing of each kind that others might refer to."""

    def make(kind: Kind, **said: Any) -> str:
        return desk.make(who, kind, **said).id

    ids = {"vpc": make(Kind.VPC, name="shop", cidrs=["10.0.0.0/16"], profile=profile)}
    ids["subnet"] = make(Kind.SUBNET, name="web", vpc=ids["vpc"], cidr="10.0.1.0/24")
    ids |= {name: make(Kind.GROUP, name=name, vpc=ids["vpc"]) for name in ("group", "other_group")}
    home = {"subnet": ids["subnet"], "groups": [ids["group"]]}
    ids["instance"] = make(Kind.INSTANCE, name="web-1", ports=[home])
    ids["port"] = desk.control.state.owned(who.account, Kind.PORT)[0].id
    ids["acl"] = make(Kind.ACL, name="acl", vpc=ids["vpc"])
    ids["entries"] = make(Kind.ADDRESS_GROUP, name="office", entries=["10.9.0.0/16"], family="ipv4")
    ids["ports"] = make(Kind.PORT_LIST, name="web-ports", entries=["80"])
    ids["line"] = make(Kind.ACL_LINE, name="http", rule="allow tcp 80 from any to any")
    ids["policy"] = make(Kind.POLICY, name="p", document=_NOTHING)
    ids["user"] = make(Kind.USER, name="u", policies=[])
    return ids


def attempts(mine: Ids, theirs: Ids, them: str) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """Ways to hang something on what is theirs."""
    remotes = ["any", *(f"group {them}/{theirs[name]}" for name in ("group", "other_group")), f"group {mine['group']}"]
    for remote in (*remotes, theirs["entries"], mine["entries"]):
        for more in ({}, {"direction": "egress", "action": "deny"}):
            rule = {"group": theirs["group"], "direction": "ingress", "remote": remote, "protocol": "tcp", **more}
            yield Kind.RULE, rule
    yield Kind.RULE, {"group": theirs["group"], "rule": f"in allow tcp 80 from group {them}/{theirs['other_group']}"}
    own = {"group": mine["group"], "direction": "ingress", "protocol": "tcp"}
    yield Kind.RULE, {**own, "remote": theirs["entries"]}
    yield Kind.RULE, {**own, "ports": theirs["ports"]}
    yield Kind.SUBNET, {"name": "s", "vpc": theirs["vpc"], "cidr": "10.0.9.0/24"}
    yield Kind.SUBNET, {"name": "s", "vpc": mine["vpc"], "cidr": "10.0.9.0/24", "acl": theirs["acl"]}
    yield Kind.GROUP, {"name": "g", "vpc": theirs["vpc"]}
    yield Kind.ACL, {"name": "a", "vpc": theirs["vpc"]}
    line = f"in allow tcp 80 from {theirs['entries']} to any"
    yield Kind.ACL, {"name": "a", "vpc": mine["vpc"], "rules": [line]}
    yield Kind.ACL_LINE, {"name": "l", "rule": line.removeprefix("in ")}
    yield Kind.ACL_POLICY, {"name": "p", "rules": [theirs["line"]]}
    for way in ("ingress_of", "egress_of"):
        yield Kind.ACL_POLICY, {"name": "p", "rules": [mine["line"]], way: [theirs["acl"]]}
    yield Kind.VPC, {"name": "v", "cidrs": ["10.1.0.0/16"], "border": [line]}
    yield Kind.PEERING, {"name": "p", "vpcs": [mine["vpc"], theirs["vpc"]]}
    here, there = ({"subnet": ids["subnet"], "groups": [ids["group"]]} for ids in (mine, theirs))
    yield Kind.INSTANCE, {"name": "i", "ports": [there]}
    yield Kind.INSTANCE, {"name": "i", "ports": [here | {"groups": [theirs["group"]]}]}
    yield Kind.INSTANCE, {"name": "i", "ports": [here | {"groups": [mine["group"], theirs["group"]]}]}
    yield Kind.PORT, here | {"instance": theirs["instance"]}
    yield Kind.PORT, here | {"parent": theirs["port"]}
    yield Kind.VIRTUAL_IP, {"name": "v", "subnet": theirs["subnet"], "ports": []}
    yield Kind.VIRTUAL_IP, {"name": "v", "subnet": mine["subnet"], "ports": [theirs["port"]]}
    yield Kind.VIRTUAL_IP, {"name": "v", "subnet": mine["subnet"], "ports": [mine["port"]], "active": theirs["port"]}
    yield Kind.USER, {"name": "x", "policies": [theirs["policy"]]}
    yield Kind.ACCESS_KEY, {"user": theirs["user"]}
    yield Kind.EXPECTATION, {"expect": f"{theirs['instance']} -> {mine['instance']} tcp/80 allow"}


@pytest.mark.parametrize("profile", ["huawei", "alibaba"])
def test_nothing_is_hung_on_what_is_another_accounts(tmp_path: Path, profile: str) -> None:
    """A rule that named a group of theirs went into another group of theirs, once: an id was all that it took."""
    desk = Desk(tmp_path)
    me, them = desk.tenant("me"), desk.tenant("them")
    mine, theirs = furnish(desk, me, profile), furnish(desk, them, profile)
    before = desk.control.state
    for kind, said in attempts(mine, theirs, them.account):
        try:
            desk.make(me, kind, **said)
        except (InvalidFields, NotFound) as error:
            told = str(error)
        else:
            pytest.fail(f"a {kind} was made of {said}")
        assert "there is no" in told, (kind, said, told)
        assert desk.control.state is before, (kind, said)
    for name in ("group", "other_group"):
        with pytest.raises(InvalidFields, match="there is no"):
            desk.update(me, Kind.PORT, mine["port"], groups=[mine["group"], theirs[name]])


def test_a_list_is_not_named_beside_a_group_of_the_same_id(tmp_path: Path) -> None:
    """The operator's ids are names, so that a list and a group have one: a rule may name the group of them only."""
    desk = Desk(tmp_path)
    them, me = desk.caller(), desk.tenant("me")
    vpc = desk.make(them, Kind.VPC, name="v", cidrs=["10.0.0.0/16"], profile="alibaba", shared_with=[me.account]).id
    theirs = f"{them.account}/{desk.make(them, Kind.GROUP, name='web', vpc=vpc).id}"
    desk.make(them, Kind.PORT_LIST, name="web", entries=["80"])
    mine = desk.make(me, Kind.GROUP, name="mine", vpc=vpc).id
    desk.make(me, Kind.RULE, group=mine, rule=f"in allow tcp 80 from group {theirs}")
    with pytest.raises(InvalidFields, match="there is no port list 'web'"):
        desk.make(me, Kind.RULE, group=mine, rule=f"in allow tcp web from group {theirs}")


def test_what_one_expects_is_nothing_to_others(tmp_path: Path) -> None:
    """Two accounts use one address: an expectation of one about it kept the other from using it, once."""
    desk = Desk(tmp_path)
    me, them = desk.tenant("me"), desk.tenant("them")
    mine, theirs = furnish(desk, me, "huawei"), furnish(desk, them, "huawei")
    line = f"10.0.1.77 -> {mine['instance']} tcp/80 allow"
    desk.make(me, Kind.EXPECTATION, expect=line)
    for who, ids in ((them, theirs), (me, mine)):
        home = {"subnet": ids["subnet"], "groups": [ids["group"]], "addresses": ["10.0.1.77"]}
        desk.make(who, Kind.PORT, instance=ids["instance"], **home)
    desk.make(me, Kind.EXPECTATION, expect=line.replace("allow", "deny"))  # and that they use it, it did not tell
    vpc = desk.make(me, Kind.VPC, name="too", cidrs=["10.0.0.0/16"], profile="huawei").id
    home = {"subnet": desk.make(me, Kind.SUBNET, name="s", vpc=vpc, cidr="10.0.1.0/24").id, "groups": [mine["group"]]}
    with pytest.raises(InvalidFields, match=r"\bexpect: several VPCs use"):  # which is its own matter
        desk.make(me, Kind.INSTANCE, name="too", ports=[home | {"addresses": ["10.0.1.77"]}])


def test_what_one_expects_is_told_to_nobody_else(tmp_path: Path) -> None:
    """What is expected twice was counted twice, so that as many of others' were taken for one's own."""
    desk = Desk(tmp_path)
    me, them = desk.tenant("me"), desk.tenant("them")
    for who, times in ((me, 2), (them, 1)):
        for _ in range(times):
            desk.make(who, Kind.EXPECTATION, expect=f"198.51.100.{times} -> 203.0.113.9 tcp/80 allow")
    for who, times in ((me, 2), (them, 1)):
        found = [str(it) for it in View(desk.control.state, who.account).around.expects]
        assert set(found) == {f"198.51.100.{times} -> 203.0.113.9 tcp/80 allow"}


def test_who_may_have_nobody_leave_learns_nothing_of_a_port(tmp_path: Path) -> None:
    """The refusal told in which groups a port is before it was asked whether the user may know the port at all."""
    desk = Desk(tmp_path)
    me = desk.tenant("me")
    mine = furnish(desk, me, "huawei")
    arn = f"acs:ecs:*:*:securitygroup/{mine['other_group']}"
    allowed = {"Effect": "Allow", "Action": "ecs:LeaveSecurityGroup", "Resource": arn}
    document = json.dumps({"Version": "1", "Statement": [allowed]})
    policy = desk.make(me, Kind.POLICY, name="leaving", document=document).id
    user = desk.caller(me.account, user=desk.make(me, Kind.USER, name="ann", policies=[policy]).id)
    for who, kind in ((user, Forbidden), (me, Refused)):
        with pytest.raises(kind) as told, desk.control.change(who, "Test") as draft:
            leave(draft, mine["other_group"], [mine["port"]])
        assert (mine["group"] in str(told.value)) is (who is me)


def test_who_is_a_guest_no_longer_takes_no_more_addresses(tmp_path: Path) -> None:
    """What a guest has in a shared subnet stays as it is, and its other changes are its own; it grows no more."""
    desk = Desk(tmp_path)
    me, them = desk.tenant("me"), desk.tenant("them")
    theirs = furnish(desk, them, "alibaba")
    desk.update(them, Kind.VPC, theirs["vpc"], shared_with=[me.account])
    group, more = (desk.make(me, Kind.GROUP, name=name, vpc=theirs["vpc"]).id for name in ("guest", "more"))
    home = {"subnet": theirs["subnet"], "groups": [group]}
    desk.make(me, Kind.INSTANCE, name="guest", ports=[home])
    (port,) = (it.id for it in desk.control.state.owned(me.account, Kind.PORT))
    vip = desk.make(me, Kind.VIRTUAL_IP, name="v", subnet=theirs["subnet"], addresses=["10.0.1.99"], ports=[port]).id
    desk.update(me, Kind.PORT, port, addresses=["10.0.1.80", "10.0.1.81"])
    desk.update(them, Kind.VPC, theirs["vpc"], shared_with=[])
    for kind, id_, addresses in (
        (Kind.PORT, port, ["10.0.1.80", "10.0.1.82"]),
        (Kind.PORT, port, ["10.0.1.80", "10.0.1.81", "10.0.1.82"]),
        (Kind.VIRTUAL_IP, vip, ["10.0.1.83"]),
    ):
        with pytest.raises(InvalidFields, match=f"there is no subnet '{theirs['subnet']}'"):
            desk.update(me, kind, id_, addresses=addresses)
    desk.update(me, Kind.PORT, port, addresses=["10.0.1.81"], groups=[group, more])
    desk.update(me, Kind.VIRTUAL_IP, vip, description="of old")
