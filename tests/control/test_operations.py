"""What operations do: each on a real store, told as tables of before, request and after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ringfence import worldfile
from ringfence.control import (
    addressing,
    attaching,
    basic,
    cloning,
    declaring,
    entries,
    exchange,
    lines,
    machines,
    membership,
    quotas,
    reverting,
    rules,
    tagging,
)
from ringfence.control.control import Control
from ringfence.control.draft import Draft
from ringfence.control.exporting import world_of
from ringfence.control.lines import Place
from ringfence.control.making import make
from ringfence.control.planning import plan
from ringfence.errors import Forbidden, InUse, InvalidFields
from ringfence.exchange.values import Format
from ringfence.model.address import Address
from ringfence.model.profile import LIMITS
from ringfence.model.rule import Direction
from ringfence.policy.decisions import PolicyClass
from ringfence.policy.evaluate import Policy
from ringfence.resources.edits import edits_of
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.resources.state import State
from ringfence.resources.values import Machine, PortAt, RuleOf
from tests.control.service import Service, told, without_chance


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Service]:
    """A VPC of each cloud, with a subnet, a group and two instances."""
    with Service.fresh(tmp_path) as made:
        for number, vpc in enumerate(["alibaba", "huawei"]):
            made.make(Kind.VPC, name=vpc, cidrs=[f"10.{number}.0.0/16"], profile=vpc)
            made.make(Kind.SUBNET, name=f"{vpc}-1", vpc=vpc, cidr=f"10.{number}.1.0/24")
            made.make(Kind.GROUP, name=f"sg-{vpc}", vpc=vpc)
            for letter in "ab":
                ports = [{"subnet": f"{vpc}-1", "groups": [f"sg-{vpc}"]}]
                made.make(Kind.INSTANCE, name=f"{vpc}-{letter}", ports=ports)
        yield made


def said(shop: Service, group: str) -> list[str]:
    """What the rules of a group say."""
    return sorted(str(cast("RuleOf", it.value).rule) for it in shop.control.state.rules(group))


def groups(resource: Resource | None) -> tuple[str, ...]:
    assert resource
    return cast("PortAt", resource.value).port.groups


def test_a_rule_that_is_there_is_as_good_as_added(shop: Service) -> None:
    """In any form, and twice in one call; the whole call is one revision, and none where nothing is new."""
    web, ssh = "in allow tcp 80 from any", {"direction": "ingress", "protocol": "tcp", "ports": "22", "remote": "any"}
    first = shop.do(lambda draft: rules.authorize(draft, "sg-alibaba", [web, ssh, f"{web} priority 1"]))
    assert [len(first.added), len(first.already)] == [2, 1]
    revision = shop.control.state.revision
    again = shop.do(lambda draft: rules.authorize(draft, "sg-alibaba", [ssh, f'{web} "in other words"']))
    assert [it.id for it in again.already] == [it.id for it in reversed(first.added)]
    assert (again.added, shop.control.state.revision) == ((), revision)
    assert said(shop, "sg-alibaba") == ["in allow tcp 22 from any priority 1", "in allow tcp 80 from any priority 1"]


def test_rules_go_by_their_ids_and_by_what_they_say(shop: Service) -> None:
    lots = [f"in allow tcp {number} from 10.0.0.0/8" for number in range(1, 101)]
    added = shop.do(lambda draft: rules.authorize(draft, "sg-alibaba", lots)).added
    by_id, by_words = [it.id for it in added[:2]], [*lots[2:4], lots[1], "in allow tcp 999 from any"]
    gone = shop.do(lambda draft: rules.revoke(draft, "sg-alibaba", by_id, by_words))
    assert [it.id for it in gone] == [it.id for it in added[:4]]
    assert len(said(shop, "sg-alibaba")) == 96
    assert shop.do(lambda draft: rules.revoke(draft, "sg-alibaba", said=by_words)) == ()


def test_groups_and_lists_go_by_name_in_every_account(shop: Service) -> None:
    """Ids of a tenant are made up: what people write are names."""
    shop.make(Kind.ACCOUNT, name="acme")
    acme = shop.acting(account=shop.control.state.of_kind(Kind.ACCOUNT)[-1].id, home="operator")
    acme.make(Kind.VPC, name="net", cidrs=["10.7.0.0/16"], profile="alibaba")
    office = acme.make(Kind.ADDRESS_GROUP, name="office", entries=["203.0.113.0/24"])
    group, other = (acme.make(Kind.GROUP, name=name, vpc="net") for name in ("web", "db"))
    ports = acme.make(Kind.PORT_LIST, name="web-ports", entries=["80", "8000-8100"])
    lines_ = ["in allow tcp 1 from group db", "in allow tcp 2 from office"]
    lines_ += ["in allow tcp web-ports from any", "in allow udp web-ports from office"]
    acme.do(lambda draft: rules.authorize(draft, "web", lines_))
    acl = acme.make(Kind.ACL, name="edge", vpc="net", rules=["in deny all from office to any"])
    assert said(acme, group.id) == [
        f"in allow tcp 1 from group {other.id} priority 1",
        f"in allow tcp 2 from {office.id} priority 1",
        f"in allow tcp {ports.id} from any priority 1",
        f"in allow udp {ports.id} from {office.id} priority 1",
    ]
    long = {"group": "db", "direction": "ingress", "protocol": "tcp", "ports": "web-ports"}
    rule = acme.make(Kind.RULE, **long)
    assert rule.shown()["ports"] == ports.id
    changed = acme.do(lambda draft: basic.update(draft, Kind.RULE, rule.id, {"ports": "web-ports", "priority": 7}))
    assert changed.shown()["rule"] == f"in allow tcp {ports.id} from any priority 7"
    assert str(lines.lines(acl)[0].rule) == f"in deny all from {office.id} to any"


def test_members_join_and_leave_by_port_and_by_instance(shop: Service) -> None:
    """An instance means its primary port; the new group is the last; who is in it stays as it is."""
    ports = [{"subnet": "alibaba-1", "groups": ["sg-alibaba"]} for _ in range(2)]
    shop.make(Kind.INSTANCE, name="two", ports=ports)
    shop.make(Kind.GROUP, name="more", vpc="alibaba")
    done = shop.do(lambda draft: membership.join(draft, "more", ["two", "alibaba-a.eth0", "two"]))
    assert ([it.id for it in done.added], done.already) == (["two.eth0", "alibaba-a.eth0"], ())
    again = shop.do(lambda draft: membership.join(draft, "more", ["two.eth1", "two"]))
    assert [[it.id for it in each] for each in (again.added, again.already)] == [["two.eth1"], ["two.eth0"]]
    state = shop.control.state
    assert [it.id for it in state.members("more")] == ["alibaba-a.eth0", "two.eth0", "two.eth1"]
    assert groups(state.get(Kind.PORT, "two.eth0")) == ("sg-alibaba", "more")
    shop.do(lambda draft: membership.leave(draft, "sg-alibaba", ["two", "two.eth1"]))
    shop.do(lambda draft: membership.set_groups(draft, ["alibaba-a", "alibaba-b"], ["more", "sg-alibaba"]))
    state = shop.control.state
    assert {it.id: groups(it) for it in state.members("more")} == {
        "alibaba-a.eth0": ("more", "sg-alibaba"),
        "alibaba-b.eth0": ("more", "sg-alibaba"),
        "two.eth0": ("more",),
        "two.eth1": ("more",),
    }


def test_a_port_of_no_instance_keeps_its_place_and_its_addresses(shop: Service) -> None:
    """It is a member of its groups and counts, nobody else gets its addresses, and no world file tells of it."""
    before = world_of(shop.control.state, "operator")
    loose = shop.make(Kind.PORT, subnet="alibaba-1", groups=["sg-alibaba"], label="spare eni")
    state = shop.control.state
    assert (state.world.sizes["sg-alibaba"], loose.shown()["label"]) == ((2, 3, 3), "spare eni")
    assert [it.port.addresses for it in state.world.detached.values()] == [cast("PortAt", loose.value).port.addresses]
    assert loose in state.members("sg-alibaba")
    assert world_of(state, "operator") == before
    usage = {
        it.of.id: it.used
        for it in quotas.usage(state, "operator", fullest=99)
        if it.limit == "groups_per_port" and it.of
    }
    assert usage[loose.id] == 1
    taken = [str(address) for address in cast("PortAt", loose.value).port.addresses]
    with pytest.raises(InvalidFields) as raised:
        shop.make(Kind.PORT, subnet="alibaba-1", groups=["sg-alibaba"], instance="alibaba-a", addresses=taken)
    assert told(raised.value)[0][0] == "world.address_in_use"
    shop.delete(Kind.PORT, loose.id)
    assert not shop.control.state.world.detached


def test_a_port_goes_to_an_instance_and_away_with_what_hangs_off_it(shop: Service) -> None:
    """Names are free again where it comes to, each move is one revision, and its parent's end is its own."""
    first, second = (shop.make(Kind.PORT, subnet="huawei-1", groups=["sg-huawei"]) for _ in range(2))
    below = shop.make(Kind.PORT, parent=first.id, subnet="huawei-1", groups=["sg-huawei"])
    revision = shop.control.state.revision
    shop.do(lambda draft: attaching.attach(draft, first.id, "huawei-a", index=4))
    assert shop.control.state.revision == revision + 1

    def ports(instance: str) -> list[tuple[str, str, int]]:
        found = shop.control.state.world.instances[instance].ports
        return [(port.name, port.parent, port.vlan) for port in found]

    assert ports("huawei-a") == [("eth0", "", 0), ("eth4", "", 0), ("eth5", "eth4", 1)]
    shop.do(lambda draft: attaching.attach(draft, second.id, "huawei-b"))
    moved = shop.do(lambda draft: attaching.migrate(draft, [(below.id, 9)], second.id))
    assert (len(moved), ports("huawei-b")) == (1, [("eth0", "", 0), ("eth1", "", 0), ("eth5", "eth1", 9)])
    exported = worldfile.dump(world_of(shop.control.state, "operator"))
    assert not shop.do(lambda draft: declaring.apply(draft, worldfile.parse(exported, "export"))).plan.changes
    shop.do(lambda draft: attaching.detach(draft, second.id))
    assert ports("huawei-b") == [("eth0", "", 0)]
    assert sorted(shop.control.state.world.detached) == sorted([second.id, below.id])
    shop.delete(Kind.PORT, second.id)
    assert not shop.control.state.world.detached


def test_a_move_is_taken_back_unless_what_names_the_port_would_lose_it(shop: Service) -> None:
    """A virtual IP follows its port to where it is taken back to; that it is on no instance is refused."""
    port = shop.make(Kind.PORT, subnet="huawei-1", groups=["sg-huawei"]).id
    revisions = []
    for work in (
        lambda draft: attaching.attach(draft, port, "huawei-a"),
        lambda draft: (attaching.detach(draft, port), attaching.attach(draft, port, "huawei-b")),
    ):
        shop.do(work)
        revisions.append(shop.control.state.revision)
    shop.make(Kind.VIRTUAL_IP, name="vip", subnet="huawei-1", addresses=["10.1.1.100"], ports=[port])
    assert shop.control.state.world.virtual_ips["vip"].ports == ("huawei-b.eth1",)

    def back(number: int) -> None:
        revision = reverting.revision_of(shop.control.store, number)
        shop.do(lambda draft: reverting.revert(draft, revision))

    back(revisions[1])
    assert shop.control.state.world.virtual_ips["vip"].ports == ("huawei-a.eth1",)
    assert shop.audit()[-1].action == "AttachNetworkInterface"
    with pytest.raises(InUse):
        back(revisions[0])


def test_addresses_come_and_go(shop: Service) -> None:
    given = shop.do(lambda draft: addressing.assign(draft, "alibaba-a.eth0", ["10.0.1.4"], count=2))
    assert [str(it) for it in given.addresses] == ["10.0.1.4", "10.0.1.5", "10.0.1.6"]
    assert shop.control.state.world.sizes["sg-alibaba"] == (2, 5, 2)
    text = worldfile.dump(world_of(shop.control.state, "operator"))
    assert worldfile.parse(text, "export").instances["alibaba-a"].primary.addresses[1:] == given.addresses
    gone = shop.do(lambda draft: addressing.unassign(draft, "alibaba-a.eth0", ["10.0.1.4", "10.0.1.6"]))
    assert gone.port.shown()["addresses"] == ["10.0.1.2", "10.0.1.5"]


def test_what_is_said_of_a_machine_is_remembered_and_means_nothing_to_packets(shop: Service) -> None:
    world = shop.control.state.world
    shop.set(Kind.INSTANCE, "huawei-a", hostname="web.example")
    shop.do(lambda draft: machines.stop(draft, "huawei-a"))
    state = shop.control.state
    found = state.get(Kind.INSTANCE, "huawei-a")
    assert found
    assert (found.shown()["power"], found.shown()["hostname"]) == ("stopped", "web.example")
    assert state.world == world
    assert edits_of(state, state, [ResourceChange(replace(found, value=Machine()), found)]) == ()
    shop.do(lambda draft: machines.start(draft, "huawei-a"))
    shop.do(lambda draft: machines.reboot(draft, "huawei-a"))
    shop.do(lambda draft: machines.release(draft, "huawei-a", force=True))
    assert shop.control.state.get(Kind.INSTANCE, "huawei-a") is None


def test_a_machine_moves_with_its_groups_and_addresses_in_one_revision(shop: Service) -> None:
    shop.make(Kind.VPC, name="far", cidrs=["10.9.0.0/16"], profile="alibaba")
    shop.make(Kind.SUBNET, name="far-1", vpc="far", cidr="10.9.1.0/24")
    shop.make(Kind.GROUP, name="sg-far", vpc="far")
    shop.do(lambda draft: machines.stop(draft, "alibaba-a"))
    revision = shop.control.state.revision
    port = shop.do(lambda draft: machines.move(draft, "alibaba-a", "far-1", ["sg-far"], vpc="far", address="10.9.1.7"))
    assert (port.id, shop.control.state.revision) == ("alibaba-a.eth0", revision + 1)
    shown = port.shown()
    assert [shown[name] for name in ("vpc", "subnet", "addresses", "groups")] == [
        *("far", "far-1"),
        ["10.9.1.7"],
        ["sg-far"],
    ]
    stays = shop.do(lambda draft: machines.move(draft, "alibaba-a", "far-1", ["sg-far"]))
    assert (stays, shop.control.state.revision) == (port, revision + 1)


def test_clones(shop: Service) -> None:
    """In the same place, in the other cloud (where no group names itself), and of the other type."""
    shop.make(Kind.GROUP, name="named", vpc="huawei")
    mine = [
        "in allow all from group sg-huawei",
        "in allow tcp 1 from group named",
        'out deny udp 53 to any disabled "dns"',
    ]
    shop.do(lambda draft: rules.authorize(draft, "sg-huawei", mine))
    shop.set(Kind.GROUP, "sg-huawei", tags={"env": "prod"}, description="first")
    same = shop.do(lambda draft: cloning.clone(draft, "sg-huawei", {"name": "twin", "copy_tags": True}))
    assert (same.group.tags, same.group.description, same.skipped) == ({"env": "prod"}, "first", ())
    assert said(shop, "twin") == [line.replace("sg-huawei", "twin") for line in said(shop, "sg-huawei")]
    away = {"name": "far", "vpc": "alibaba", "skip": True, "description": ""}
    far = shop.do(lambda draft: cloning.clone(draft, "sg-huawei", away))
    assert sorted((it.code, it.rule) for it in far.skipped) == [
        ("InvalidParamter.Conflict", "in allow all from group far priority 1"),
        ("InvalidSourceGroupId.Mismatch", "in allow tcp 1 from group named priority 1"),
    ]
    assert said(shop, "far") == ['out deny udp 53 to any priority 1 disabled "dns"']
    assert (far.group.tags, far.group.description) == ({}, "")
    shop.do(lambda draft: cloning.clone(draft, "far", {"name": "wide", "type": "advanced"}))
    made = [shop.control.state.world.groups[name] for name in ("far", "wide")]
    assert [(it.type.value, it.intra_group.value) for it in made] == [("basic", "drop"), ("advanced", "drop")]
    assert said(shop, "wide") == said(shop, "far")


def test_tags_are_set_and_taken_one_by_one(shop: Service) -> None:
    def tagged(**tags: str) -> Resource:
        return shop.do(lambda draft: tagging.tag(draft, Kind.GROUP, "sg-huawei", tags))

    assert tagged(env="prod", team="web").tags == {"env": "prod", "team": "web"}
    assert tagged(env="test").tags == {"env": "test", "team": "web"}
    shop.do(lambda draft: tagging.tag(draft, Kind.VPC, "huawei", {"env": "test"}))
    all_ = [it for kind in Kind for it in shop.control.state.owned("operator", kind)]
    assert [(it.text, it.resources) for it in tagging.tags_of(all_)] == [
        ("env=test", {Kind.GROUP: 1, Kind.VPC: 1}),
        ("team=web", {Kind.GROUP: 1}),
    ]
    for keys, left in ((["team", "nothing"], {"env": "test"}), ([], {})):
        untag = lambda draft, keys=keys: tagging.untag(draft, Kind.GROUP, "sg-huawei", keys)  # noqa: E731
        assert shop.do(untag).tags == left


def test_entries_of_address_groups(shop: Service) -> None:
    """One by one; a rule that names the group follows; with force it goes with the group (SEMANTICS.md 1.3)."""
    shop.make(Kind.ADDRESS_GROUP, name="office", entries=["10.0.0.1", "10.0.0.2"])
    shop.do(lambda draft: rules.authorize(draft, "sg-huawei", ["in allow tcp 1 from office"]))
    add, remove = ["10.0.0.2", "10.0.0.9"], ["10.0.0.1", "10.9.0.0/16"]
    done = shop.do(lambda draft: entries.edit_entries(draft, Kind.ADDRESS_GROUP, "office", add, remove))
    assert (list(map(str, done.added)), list(map(str, done.removed))) == (["10.0.0.9"], ["10.0.0.1"])
    world = shop.control.state.world
    assert list(map(str, world.address_groups["office"].entries)) == ["10.0.0.2", "10.0.0.9"]
    shop.delete(Kind.ADDRESS_GROUP, "office", force=True)
    assert said(shop, "sg-huawei") == []


def test_entries_of_port_lists(shop: Service) -> None:
    """The same; whoever names the list has the ports at once, and it goes with its rules if forced to (1.3)."""
    shop.make(Kind.PORT_LIST, name="web-ports", entries=["80", "8000-8100"], max_entries=3)
    shop.do(lambda draft: rules.authorize(draft, "sg-huawei", ["in allow tcp web-ports from any"]))
    add, remove = ["80", {"entry": "443", "remark": "TLS"}], ["8000-8100", "7"]
    done = shop.do(lambda draft: entries.edit_entries(draft, Kind.PORT_LIST, "web-ports", add, remove))
    assert (list(map(str, done.added)), list(map(str, done.removed))) == (["443"], ["8000-8100"])
    world = shop.control.state.world
    (decided, *_) = Policy(world).decisions(PolicyClass("huawei", ("sg-huawei",)), Direction.INGRESS)
    assert str(decided.ports) == "80,443"
    assert isinstance(shop.refused(lambda draft: basic.delete(draft, Kind.PORT_LIST, "web-ports")), InUse)
    shop.delete(Kind.PORT_LIST, "web-ports", force=True)
    assert said(shop, "sg-huawei") == []


@pytest.mark.parametrize(
    ("kind", "entries_"),
    [
        (Kind.ADDRESS_GROUP, ["10.0.0.1", "10.0.0.2", "10.0.1.0/24"]),
        (Kind.ADDRESS_GROUP, ["fd00::1", "fd00::2", "fd00:1::/64"]),
        (Kind.PORT_LIST, ["80", "443", "8000-8100"]),
    ],
)
def test_remarks_about_entries_come_and_go_with_them(shop: Service, kind: Kind, entries_: list[str]) -> None:
    """A remark stays whatever else changes, also what a world file says of the list; it goes with its entry."""

    def remarks() -> Any:
        found = shop.control.state.get(kind, "list")
        return found and found.shown()["remarks"]

    one, two, three = entries_
    shop.make(kind, name="list", entries=[one, two], remarks={one: "first", two: "second"})
    add = [{"entry": one, "remark": "the first"}, {"entry": three}]
    shop.do(lambda draft: entries.edit_entries(draft, kind, "list", add, []))
    assert remarks() == {one: "the first", two: "second"}
    shop.do(lambda draft: basic.update(draft, kind, "list", {"entries": [three, one]}))
    assert remarks() == {one: "the first"}
    exported = worldfile.dump(world_of(shop.control.state, "operator"))
    wanted = worldfile.parse(exported.replace(f"- {three}\n", f"- {two}\n"), "exported")
    shop.do(lambda draft: make(draft, plan(draft.state, draft.caller, wanted, draft.at).changes))
    world = shop.control.state.world
    listed = (world.address_groups if kind is Kind.ADDRESS_GROUP else world.port_lists)["list"]
    assert {*map(str, listed.entries)} == {one, two}
    assert remarks() == {one: "the first"}
    shop.do(lambda draft: basic.update(draft, kind, "list", {"remarks": {two: "2"}}))
    assert remarks() == {two: "2"}
    shop.do(lambda draft: entries.edit_entries(draft, kind, "list", [], [two]))
    assert remarks() == {}


@pytest.mark.parametrize(
    ("said_", "family"),
    [
        ({"family": "ipv6"}, "ipv6"),
        ({}, None),
        ({"entries": ["10.0.0.1"]}, "ipv4"),
        ({"entries": ["fd00::/64"]}, "ipv6"),
    ],
)
def test_an_address_group_keeps_the_family_that_it_was_made_with(
    shop: Service, said_: dict[str, Any], family: str | None
) -> None:
    """The one that is said, or that of its first entries; also when it is empty again (1.3)."""
    made = shop.make(Kind.ADDRESS_GROUP, name="list", **said_)
    assert made.shown()["family"] == family
    entry, other = {"ipv6": ("fd00::9", "10.9.9.9")}.get(family or "", ("10.9.9.9", "fd00::9"))

    def edit(add: list[str], remove: list[str]) -> Any:
        return lambda draft: entries.edit_entries(draft, Kind.ADDRESS_GROUP, "list", add, remove)

    shop.do(edit([entry], []))
    shop.do(edit([], [entry, *said_.get("entries", ())]))
    assert shop.do(lambda draft: draft.find(Kind.ADDRESS_GROUP, "list")).shown()["family"] == family or "ipv4"
    for work in (
        edit([other], []),
        lambda draft: basic.update(draft, Kind.ADDRESS_GROUP, "list", {"entries": [other]}),
        lambda draft: basic.update(draft, Kind.ADDRESS_GROUP, "list", {"family": "ipv4" if ":" in entry else "ipv6"}),
    ):
        assert isinstance(shop.refused(work), InvalidFields)


@pytest.mark.parametrize(
    ("kind", "ref", "way"), [(Kind.ACL, "acl", "in "), (Kind.VPC, "huawei", "in "), (Kind.PEERING, "peer", "")]
)
def test_lines_stand_where_they_are_put(shop: Service, kind: Kind, ref: str, way: str) -> None:
    """In ACLs, at borders and on peerings: by positions and by ids."""
    shop.make(Kind.ACL, name="acl", vpc="huawei", rules=[])
    shop.make(Kind.PEERING, name="peer", vpcs=["huawei", "alibaba"])

    def order(resource: Resource) -> str:
        return "".join(str(line.rule.ports)[-1] for line in lines.lines(resource))

    def insert(port: int, **place: Any) -> str:
        text = f"{way}allow tcp {port} from any to any"
        return order(shop.do(lambda draft: lines.insert(draft, kind, ref, text, Place(**place))))

    def moved(line: str | int, **place: Any) -> str:
        return order(shop.do(lambda draft: lines.move(draft, kind, ref, line, Place(**place))))

    assert [insert(1), insert(2), insert(3, before=1), insert(4, after="2")] == ["1", "12", "312", "3142"]
    found = shop.control.state.get(kind, ref)
    assert found
    first, second, *_ = lines.lines(found)
    assert moved(first.id) == "1423"
    assert moved(4, before=second.id) == "3142"
    assert moved(second.id, after=second.id) == "3142"
    assert moved(2, after=3) == "3412"
    gone = shop.do(lambda draft: lines.remove(draft, kind, ref, second.id))
    assert order(gone) == "342"


def test_a_fresh_acl_has_the_clouds_rules(shop: Service) -> None:
    """Unless the request says which (SEMANTICS.md 4.1, 4.2)."""
    made = [
        shop.make(Kind.ACL, name="a", vpc="alibaba"),
        shop.make(Kind.ACL, name="h", vpc="huawei"),
        shop.make(Kind.ACL, name="e", vpc="alibaba", rules=[]),
    ]
    assert [[str(line.rule) for line in lines.lines(it)] for it in made] == [
        ["in allow all from any to any", "out allow all from any to any"],
        [],
        [],
    ]


def test_the_default_group_comes_with_the_first_instance_that_needs_it(shop: Service) -> None:
    """One for each VPC where groups belong to one, else one; with the cloud's rules (SEMANTICS.md 2.4)."""
    for vpc in ("alibaba", "huawei"):
        for name in ("x", "y"):
            shop.make(Kind.INSTANCE, name=f"{vpc}-{name}", ports=[{"subnet": f"{vpc}-1"}])
    found = shop.control.state.named("operator", Kind.GROUP, "default")
    assert sorted((getattr(it.value, "vpc", None), len(said(shop, it.id))) for it in found) == [("", 4), ("alibaba", 3)]
    assert all(len(shop.control.state.members(it.id)) == 2 for it in found)


def test_a_quota_that_is_raised_holds_at_once_and_for_what_exists(shop: Service) -> None:
    """And each limit is told with what is used of it, and by whom it was set."""
    lots = [f"in allow tcp {number} from 10.0.0.0/8" for number in range(1, 52)]

    def fill(draft: Draft) -> object:
        return rules.authorize(draft, "sg-huawei", lots)

    def told_(limit: str) -> tuple[int, int, str]:
        found = [it for it in quotas.usage(shop.control.state, "operator") if it.limit == limit]
        return found[0].used, found[0].allowed, found[0].source

    assert told(shop.refused(fill)) == [("AuthorizationLimitExceed", "groups.sg-huawei")]
    shop.do(lambda draft: quotas.set_limits(draft, "operator", {"rules_per_group": 51}))
    shop.do(fill)
    assert told_("rules_per_group") == (51, 51, "operator")
    assert told_("groups_per_account") == (2, 100, "profile")
    shop.do(lambda draft: quotas.set_limits(draft, "*", {"groups_per_account": 3, "rules_per_port": 60}))
    assert told_("groups_per_account") == (2, 3, "operator")
    assert told_("rules_per_port") == (51, 60, "operator")
    lower = lambda draft: quotas.set_limits(draft, "operator", {"rules_per_group": None})  # noqa: E731
    assert told(shop.refused(lower)) == [("AuthorizationLimitExceed", "groups.sg-huawei")]
    shop.do(lambda draft: rules.revoke(draft, "sg-huawei", said=lots[:1]))
    shop.do(lower)
    assert told_("rules_per_group") == (50, 50, "profile")


LIMITS_OF_ACCOUNTS = {
    "groups_per_account": Kind.GROUP,
    "vpcs_per_account": Kind.VPC,
    "address_groups_per_account": Kind.ADDRESS_GROUP,
    "port_lists_per_account": Kind.PORT_LIST,
    "acls_per_account": Kind.ACL,
    "acl_policies_per_account": Kind.ACL_POLICY,
    "acl_lines_per_account": Kind.ACL_LINE,
    "peerings_per_account": Kind.PEERING,
}


def test_usage_tells_every_limit_that_a_quota_may_set(shop: Service) -> None:
    shop.make(Kind.ADDRESS_GROUP, name="office", entries=["10.0.0.1"])
    shop.make(Kind.ACL, name="acl", vpc="alibaba")
    shop.make(Kind.GROUP, name="adv", vpc="alibaba", type="advanced", tags={"a": "b"})
    shop.make(Kind.RULE, group="adv", rule="in allow tcp 1,3 from any")
    shop.make(Kind.PORT_LIST, name="web-ports", entries=["80"])
    found = quotas.usage(shop.control.state, "operator", fullest=2)
    assert {it.limit for it in found} == {*LIMITS, "tags_per_resource"}
    for name, kind in LIMITS_OF_ACCOUNTS.items():
        [one] = [it for it in found if it.limit == name]
        assert (one.of, one.used) == (None, shop.control.state.count("operator", kind))
    for name in {it.limit for it in found}:
        shares = [it.share for it in found if it.limit == name]
        assert shares == sorted(shares, reverse=True)
        assert len(shares) <= 2


@pytest.mark.parametrize("form", Format)
def test_rules_go_out_as_a_file_and_come_in_again(shop: Service, form: Format) -> None:
    """Into an empty group the same rules; into the same group none, as each row is there already."""
    shop.make(Kind.PORT_LIST, name="web-ports", entries=["80", "8000-8100"])
    shop.make(Kind.ADDRESS_GROUP, name="office", entries=["10.0.0.1"])
    shop.make(Kind.GROUP, name="copy", vpc="huawei")
    lines_ = [
        "in allow tcp 80,443 from 0.0.0.0/0",
        "in deny all from group copy priority 9",
        'out allow udp 53 to office "dns"',
        "in allow tcp web-ports from 10.0.0.0/8",
    ]
    shop.do(lambda draft: rules.authorize(draft, "sg-huawei", lines_))
    group = shop.control.state.get(Kind.GROUP, "sg-huawei")
    assert group
    file = exchange.export_rules(shop.control.state, group, form, "2026-01-02", "cn-north-4")
    assert (
        file.name
        == {
            Format.JSON: "ecs_cn-north-4_sg-huawei.json",
            Format.CSV: "ecs_sgRule_sg-huawei_cn-north-4_20260102.csv",
            Format.XLSX: "sg-huawei_cn-north-4_20260102.xlsx",
        }[form]
    )

    def into(group: str) -> Any:
        def work(draft: Draft) -> rules.Authorized:
            return exchange.import_rules(draft, group, exchange.read_rules(draft, group, form, file.content))

        return work

    shop.do(into("copy"))
    assert said(shop, "copy") == said(shop, "sg-huawei")
    error = shop.refused(into("copy"))
    assert isinstance(error, InvalidFields)
    assert {problem.code for problem in error.problems} == {"exchange.duplicate"}
    assert all(problem.field.startswith("rows.") for problem in error.problems)


def test_a_dry_run_tells_the_same_and_changes_nothing(shop: Service) -> None:
    shop.make(Kind.GROUP, name="more", vpc="huawei")
    works: list[Any] = [
        lambda draft: basic.create(draft, Kind.INSTANCE, {"name": "n", "ports": [{"subnet": "huawei-1"}]}),
        lambda draft: rules.authorize(draft, "sg-huawei", ["in allow tcp 1 from any"]).added[0],
        lambda draft: membership.join(draft, "more", ["huawei-a"]).added[0],
        lambda draft: cloning.clone(draft, "sg-huawei", {"name": "twin"}).group,
        lambda draft: tagging.tag(draft, Kind.GROUP, "more", {"a": "b"}),
        lambda draft: quotas.set_limits(draft, "*", {"rules_per_group": 70}),
        lambda draft: tagging.untag(draft, Kind.GROUP, "more", []),
    ]
    for work in works:
        before, stored = shop.control.state, shop.control.store.load()
        dry = shop.do(work, dry_run=True)
        assert (shop.control.state, shop.control.store.load()) == (before, stored)
        assert "(dry run)" in shop.audit()[-1].operation
        assert without_chance(shop.do(work)) == without_chance(dry)
    again = Control(shop.control.store).state
    assert again == State.of(again.revision, shop.control.state.resources.values()) == shop.control.state


def test_a_secret_is_nowhere_but_in_its_row(shop: Service) -> None:
    """Not in the audit, not in what is shown, not in a repr."""
    made, secret = shop.do(lambda draft: shop.identities.create_key(draft, ""))
    shop.set(Kind.ACCESS_KEY, made.id, enabled=False)
    shop.delete(Kind.ACCESS_KEY, made.id)
    sealed = made.as_json()["sealed"]
    told_ = [str(made.shown()), repr(made), *(f"{it.before}{it.after}" for it in shop.audit())]
    assert any(made.id in text for text in told_[2:])
    assert not [text for text in told_ if sealed in text or "sealed" in text or secret.reveal() in text]


def test_who_may_not_attach_to_an_instance_gets_no_port_there(shop: Service) -> None:
    """Not by making one there, and not by hanging one off a port of its; from where it hangs it does not go either."""
    denied = [{"Effect": "Deny", "Action": "ecs:*tachNetworkInterface", "Resource": "acs:*:*:*:instance/huawei-a"}]
    document = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, *denied]}
    policy = shop.make(Kind.POLICY, name="not-there", document=json.dumps(document)).id
    carrier, other = "huawei-a.eth0", "huawei-b.eth0"
    loose = shop.make(Kind.PORT, subnet="huawei-1", groups=["sg-huawei"]).id
    below = shop.make(Kind.PORT, subnet="huawei-1", groups=["sg-huawei"], parent=carrier).id
    user = shop.make(Kind.USER, name="ann", policies=[policy]).id
    ann = shop.acting(user=user, operator=False)
    said = {"subnet": "huawei-1", "groups": ["sg-huawei"]}
    asks: list[Callable[[Draft], object]] = [
        lambda draft: basic.create(draft, Kind.PORT, said | {"instance": "huawei-a"}),
        lambda draft: basic.create(draft, Kind.PORT, said | {"parent": carrier}),
        lambda draft: attaching.hang(draft, loose, carrier),
        lambda draft: attaching.hang(draft, below, other),
        lambda draft: attaching.detach(draft, below),
        lambda draft: declaring.apply(draft, wider),
    ]
    world = world_of(shop.control.state, "operator")
    there = world.instances["huawei-a"]
    more = replace(there.primary, name="eth9", addresses=(Address.parse("10.1.1.99"),))
    wider = world.edited(instances={"huawei-a": replace(there, ports=(*there.ports, more))})
    for ask in asks:
        assert isinstance(ann.refused(ask), Forbidden)
    for allowed in (
        lambda draft: basic.create(draft, Kind.PORT, said | {"instance": "huawei-b"}),
        lambda draft: attaching.hang(draft, loose, other),
        lambda draft: basic.create(draft, Kind.INSTANCE, {"name": "huawei-c", "ports": [said]}),
    ):
        ann.do(allowed)
