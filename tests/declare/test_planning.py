"""What a plan changes for one edit of a file, what it leaves alone, and what an account's file may not say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.control.declaring import Words, read_world, require_reading
from ringfence.control.explaining import Explainer
from ringfence.control.planning import Plan, plan
from ringfence.control.view import View
from ringfence.errors import (
    EXPECT_FAILED,
    Conflict,
    Forbidden,
    InvalidFields,
    Protected,
    RingfenceError,
    UnknownName,
    WorldFileError,
)
from ringfence.model.flow import Query
from ringfence.model.group import SecurityGroup
from ringfence.model.service import Service
from ringfence.model.world import World
from ringfence.resources.kind import Kind
from ringfence.worldfile import dump
from tests.declare.desk import Desk

BASE = """
vpcs:
  shop: {cidrs: [10.0.0.0/16], subnets: {front: 10.0.1.0/24, back: 10.0.2.0/24}}
address_groups:
  office: [198.51.100.0/24]
groups:
  sg-web: {intra_group: drop, rules: ["in allow tcp 80 from any", "in allow tcp 22 from office \\"ops\\"",
           "out allow tcp 3306 to group sg-db"]}
  sg-db: {intra_group: drop, rules: ["in allow tcp 3306 from group sg-web"]}
acls:
  edge: {rules: [in allow all from any to any, out allow all from any to any]}
instances:
  web: {ports: {eth0: {subnet: shop/front, ip: 10.0.1.10, groups: [sg-web]},
                eth1: {subnet: shop/back, ip: 10.0.2.10, groups: [sg-db]}}}
  db: {subnet: shop/back, ip: 10.0.2.20, groups: [sg-db]}
outside: {laptop: [203.0.113.9]}
expect: [laptop -> web tcp/80 allow]
"""
THEIRS = BASE.replace("10.0.", "10.9.").replace("203.0.113.9", "203.0.113.99")
"""The same in address space that is free beside it: hosts outside see one space."""
ETH0 = "eth0: {subnet: shop/front, ip: 10.0.1.10, groups: [sg-web]}"
ETH1 = "eth1: {subnet: shop/back, ip: 10.0.2.10, groups: [sg-db]}"
Edit = tuple[str, str, tuple[str, ...]]
"""What of the file is replaced by what, and how the lines of the plan begin."""
EDITS: dict[str, Edit] = {
    "nothing": ("", "", ()),
    "a description": ('\\"ops\\"', '\\"night\\"', ("change rule sg-web: in allow tcp 22 from office priority 1",)),
    "a rule disabled": ("80 from any", "80 from any disabled", ("change rule sg-web: in allow tcp 80",)),
    "a rule's port": (
        "tcp 80 from any",
        "tcp 81 from any",
        ("create rule sg-web: in allow tcp 81", "delete rule sg-web: in allow tcp 80"),
    ),
    "a member leaves": ("10.0.1.10, groups: [sg-web]", "10.0.1.10, groups: [sg-db]", ("change port web.eth0",)),
    "ports change places": (f"{ETH0},\n                {ETH1}", f"{ETH1}, {ETH0}", ("change port web.eth0",)),
    "a port moves": (
        "eth1: {subnet: shop/back, ip: 10.0.2.10",
        "eth1: {subnet: shop/front, ip: 10.0.1.11",
        ("create port web.eth1", "delete port web.eth1"),
    ),
    "an instance goes": (
        "  db: {subnet: shop/back, ip: 10.0.2.20, groups: [sg-db]}\n",
        "",
        ("delete port db.eth0", "delete instance db"),
    ),
    "a list grows": ("[198.51.100.0/24]", "[198.51.100.0/24, 192.0.2.0/24]", ("change address_group office",)),
    "ACL lines": ("in allow all from any to any", "in deny tcp 22 from any to any", ("change acl edge",)),
    "a bound group": (
        "sg-db: {intra_group",
        "sg-db: {vpc: shop, intra_group",
        (
            *("create group sg-db", "create rule sg-db: in allow tcp 3306", "create rule sg-web: out allow"),
            *("change port db.eth0", "change port web.eth1"),
            *("delete rule sg-db: in allow tcp 3306", "delete rule sg-web: out allow", "delete group sg-db"),
        ),
    ),
    "a border": ("10.0.2.0/24}}", "10.0.2.0/24}, border: [in deny tcp 22 from any to any]}", ("change vpc shop",)),
    "a block": ("outside:", "blocks: {web.eth1: abuse}\noutside:", ("create penalty web.eth1",)),
    "an expectation": (
        "[laptop -> web tcp/80 allow]",
        "[laptop -> db tcp/80 deny]",
        ("create expectation laptop -> db tcp/80 deny", "delete expectation laptop -> web tcp/80 allow"),
    ),
    "a profile": (
        "vpcs:",
        "switches: {members_per_group: 7}\nvpcs:",
        ("change vpc shop", "create settings"),
    ),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.apply(made.caller(), BASE)
    made.apply(made.caller("tenant-of-all"), THEIRS)
    yield made
    made.store.close()


def _told(made: Plan) -> list[str]:
    return [f"{it['do']} {it['kind']} {it['name']}" for it in Words(made).all()]


def _plan(desk: Desk, text: str, account: str = "operator", **more: object) -> Plan:
    caller = desk.caller(account, **more)
    return plan(desk.control.state, caller, read_world(desk.control.state, account, text), "now")


@pytest.mark.parametrize("account", ["operator", "tenant-of-all"])
@pytest.mark.parametrize("name", EDITS)
def test_one_edit(desk: Desk, name: str, account: str) -> None:
    text = BASE if account == "operator" else THEIRS
    old, new, expected = EDITS[name]
    if text is THEIRS:
        old, new = (it.replace("10.0.", "10.9.") for it in (old, new))
    assert old in text
    if name == "a profile" and account != "operator":
        with pytest.raises(InvalidFields, match=r"profile: the file's profile is not the service's.*input\.profile"):
            _plan(desk, text.replace(old, new, 1), account)
        return
    made = _plan(desk, text.replace(old, new, 1), account, operator=True)
    told = _told(made)
    assert len(told) == len(expected)
    for line in expected:
        assert any(each.startswith(line) for each in told), (line, told)
    words = str(Words(made).all())
    ids = [it.id for it in desk.control.state.owned(account, Kind.GROUP) if it.id != it.name]
    assert not any(id_ in words.replace(f"'id': '{id_}'", "") for id_ in ids), "an id where a name belongs"


def test_fields_are_told_before_and_after(desk: Desk) -> None:
    [told] = Words(_plan(desk, THEIRS.replace("groups: [sg-web]", "groups: [sg-db]", 1), "tenant-of-all")).all()
    assert told["fields"] == {"groups": {"before": ["sg-web"], "after": ["sg-db"]}}


REFUSED: dict[str, tuple[str, type[RingfenceError], str]] = {
    "not a world": ("vpcs: [", WorldFileError, "line 1"),
    "a stranger's group": (
        "groups: {sg-x: {account: partner, rules: []}, sg-y: {rules: []}}",
        InvalidFields,
        "partner has no group 'sg-x'",
    ),
    "a stranger's instance": (
        BASE.replace("db: {subnet", "db: {account: partner, subnet"),
        InvalidFields,
        "instances.db.account: instance db belongs to account partner",
    ),
    "too many tags": (
        BASE.replace("sg-db: {", f"sg-db: {{tags: {{{', '.join(f'k{i}: v' for i in range(21))}}}, "),
        InvalidFields,
        "21 tags are more than 20",
    ),
    "a service's own": (
        BASE.replace("sg-db: {", "sg-db: {managed: dts, "),
        Protected,
        "belongs to dts",
    ),
    "another kind of network": (
        "profile: alibaba\nvpcs: {shop: {profile: alibaba, network: classic, cidrs: [10.0.0.0/16]}}",
        InvalidFields,
        "network of a VPC cannot be changed",
    ),
}


def test_hosts_outside_concern_nobody_but_their_account(desk: Desk) -> None:
    """The same address, and address space that overlaps: a tenant is not told of it, and not stopped by it."""
    same = THEIRS.replace("203.0.113.99", "203.0.113.9").replace("10.9.", "10.0.")
    desk.apply(desk.caller("tenant-next-door"), same)
    assert desk.export(desk.caller("tenant-next-door")).outside["laptop"]


@pytest.mark.parametrize("name", REFUSED)
def test_refused(desk: Desk, name: str) -> None:
    text, kind, words = REFUSED[name]
    revision = desk.control.state.revision
    with pytest.raises(kind, match=words):
        desk.apply(desk.caller(), text)
    assert desk.control.state.revision == revision


def test_an_expectation_that_fails_refuses_unless_overridden(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    me = desk.caller()
    failing = BASE.replace("web tcp/80 allow]", "web tcp/80 deny]")
    with pytest.raises(Conflict, match=r"laptop -> web tcp/80 deny \(it is allow by \S+: in allow") as refused:
        desk.apply(me, failing, override="")
    assert refused.value.reason == EXPECT_FAILED
    assert desk.export(me) == World()
    assert len(desk.apply(me, failing, override="tried out").unmet) == 1
    entries = desk.store.find_audit(newest_first=True, limit=200)
    (overridden,) = (it for it in entries if it.action == "OverrideExpectations")
    assert overridden.revision == desk.control.state.revision
    (audited,) = json.loads(overridden.after or "")
    assert audited["override"] == "tried out"
    assert [line.partition(" (")[0] for line in audited["expectations"]] == ["laptop -> web tcp/80 deny"]


def test_what_a_file_cannot_say_stays(tmp_path: Path) -> None:
    """Display names, tags and protection; detached machines; the default group; what a service manages; blocks."""
    desk = Desk(tmp_path)
    me = desk.tenant("tenant")
    service = desk.caller(me.account, operator=True, service="dts")
    desk.apply(me, BASE)
    web = desk.control.state.named(me.account, Kind.INSTANCE, "web")[0]
    shop = desk.control.state.named(me.account, Kind.VPC, "shop")[0]
    desk.update(me, Kind.VPC, shop.id, tags={"env": "prod"}, description="the shop", shared_with=[])
    desk.make(me, Kind.INSTANCE, name="bare")
    desk.make(me, Kind.GROUP, name="default")
    desk.make(service, Kind.GROUP, name="sg-dts", managed="dts")
    desk.make(desk.caller(me.account, operator=True), Kind.PENALTY, instance=web.id, reason="abuse")
    desk.make(me, Kind.GROUP, name="twin")
    twin = desk.make(me, Kind.GROUP, name="twin")
    before = desk.control.state
    assert _told(desk.apply(me, BASE).plan) == ["delete group twin", "delete group twin"]
    kept = desk.control.state
    assert kept.get(Kind.VPC, shop.id) == before.get(Kind.VPC, shop.id)
    for kind, names in {
        Kind.GROUP: {"default", "sg-dts", "sg-web", "sg-db"},
        Kind.INSTANCE: {"bare", "web", "db"},
    }.items():
        assert {it.name for it in kept.owned(me.account, kind)} == names
    assert kept.count(me.account, Kind.PENALTY) == 1
    assert kept.get(Kind.GROUP, twin.id) is None
    desk.make(me, Kind.ADDRESS_GROUP, name="pool", entries=["203.0.113.0/24", "198.51.100.1-198.51.100.9"])
    exported = desk.export(me)
    assert desk.apply(me, exported).plan.changes == ()
    assert exported.groups["sg-dts"].managed == "dts"


def test_a_default_group_that_the_file_does_not_name_stays_beside_one_that_it_names(tmp_path: Path) -> None:
    """Two VPCs have one each; a file that speaks of that of a third takes neither away."""
    desk = Desk(tmp_path)
    me = desk.tenant("tenant")
    names = ("one", "two", "three")
    vpcs = [desk.make(me, Kind.VPC, name=name, cidrs=["10.0.0.0/16"], profile="alibaba").id for name in names]
    made = [desk.make(me, Kind.GROUP, name="default", vpc=vpc) for vpc in vpcs[:2]]
    wanted = replace(desk.export(me), groups={"default": SecurityGroup("default", vpc="three")})
    assert _told(desk.apply(me, wanted).plan) == ["create group default"]
    assert [desk.control.state.get(Kind.GROUP, it.id) for it in made] == made


def test_names_that_are_no_names_of_a_file(tmp_path: Path) -> None:
    """What cannot stand in a file by its name, or not alone, stands there by its id; and comes back."""
    desk = Desk(tmp_path)
    me = desk.tenant("tenant")
    odd = [desk.make(me, Kind.GROUP, name=name).id for name in ("two words", "any", "twin", "twin", "ok")]
    lists = [desk.make(me, Kind.ADDRESS_GROUP, name=name, entries=[]).id for name in ("10.0.0.1", "fine")]
    ports = [desk.make(me, Kind.PORT_LIST, name=name, entries=["80"]).id for name in ("80", "web", "fine")]
    desk.make(me, Kind.RULE, group=odd[4], rule=f"in allow tcp {ports[0]} from any")
    desk.make(me, Kind.RULE, group=odd[4], rule="in allow udp fine from any")
    ends = [desk.make(me, Kind.OUTSIDE_HOST, name=name, addresses=[ip]).id
            for name, ip in (("web", "203.0.113.1"), ("a.b", "203.0.113.2"))]  # fmt: skip
    machine = desk.make(me, Kind.INSTANCE, name="web").id
    assert machine not in desk.export(me).instances
    world = desk.export(me)
    assert set(world.groups) == {*odd[:4], "ok"}
    assert set(world.address_groups) == {lists[0], "fine"}
    assert set(world.port_lists) == {ports[0], "web", "fine"}
    assert {str(rule.ports) for rule in world.groups["ok"].rules} == {ports[0], "fine"}
    assert set(world.outside) == set(ends), "an instance is called like one of them"
    assert desk.apply(me, world).plan.changes == ()


def test_two_accounts(tmp_path: Path) -> None:
    """Groups of others are named by id, shared VPCs are there without their rules, and neither is touched."""
    desk = Desk(tmp_path)
    owner, guest = desk.tenant("owner"), desk.tenant("guest")
    desk.apply(desk.caller(), "switches: {cross_account: true}")
    vpc = desk.make(owner, Kind.VPC, name="shared", cidrs=["10.0.0.0/16"], shared_with=[guest.account],
                    border=["in deny tcp 22 from any to any"]).id  # fmt: skip
    desk.make(owner, Kind.SUBNET, name="front", vpc=vpc, cidr="10.0.1.0/24")
    theirs = desk.make(owner, Kind.GROUP, name="sg-theirs").id
    desk.make(owner, Kind.RULE, group=theirs, rule="in allow tcp 443 from any")
    subnet = desk.control.state.owned(owner.account, Kind.SUBNET)[0].id
    mine = desk.make(guest, Kind.GROUP, name="sg-mine").id
    desk.make(guest, Kind.INSTANCE, name="web", ports=[{"subnet": subnet, "groups": [mine]}])
    desk.make(guest, Kind.RULE, group=mine, rule=f"in allow tcp 80 from group {owner.account}/{theirs}")
    world = desk.export(guest)
    assert world.vpcs[vpc].border == ()
    assert world.groups[theirs].rules == ()
    assert world.groups[theirs].account == owner.account
    again = worldfile_round(desk, guest.account, world)
    assert desk.apply(guest, again).plan.changes == ()
    before = desk.export(owner)
    told = _told(desk.apply(guest, World(world.profile)).plan)
    assert told
    assert not any("shared" in line or "theirs" in line for line in told)
    assert desk.export(owner) == before


def worldfile_round(desk: Desk, account: str, world: World) -> World:
    """A world as a file, read again."""
    return read_world(desk.control.state, account, dump(world))


def test_limits_of_the_account_hold_for_its_file(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    me = desk.tenant("tenant")
    rules = ", ".join(f"in allow tcp {port} from any" for port in range(1, 41))
    text = f"groups: {{sg: {{rules: [{rules}]}}}}"
    with pytest.raises(WorldFileError, match="rules"):
        read_world(desk.control.state, me.account, text)
    desk.make(desk.caller(), Kind.QUOTA, target=me.account, limits={"rules_per_group": 200, "rules_per_port": 200,
                                                                   "group_rules_per_group": 200})  # fmt: skip
    desk.apply(me, read_world(desk.control.state, me.account, text))
    assert desk.apply(me, worldfile_round(desk, me.account, desk.export(me))).plan.changes == ()


def test_who_may_not_see_may_not_export(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.apply(desk.caller(), BASE)
    some = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}'
    policy = desk.make(desk.caller(), Kind.POLICY, name="ecs", document=some)
    user = desk.make(desk.caller(), Kind.USER, name="ann", policies=[policy.id])
    ann = desk.caller(user=user.id)
    with pytest.raises(Forbidden, match="DescribeVpc"):
        require_reading(desk.control.authority, desk.control.state, ann)
    with pytest.raises(Forbidden, match="ApplyChanges"):
        desk.apply(ann, BASE)


def test_why_names_the_ids_of_instances_that_are_called_the_same(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    me = desk.tenant("tenant")
    desk.apply(me, BASE)
    twins = sorted(desk.make(me, Kind.INSTANCE, name="twin").id for _ in range(2))
    explainer = Explainer(View(desk.control.state, me.account))
    for name in ("twin", "twin.eth0"):
        with pytest.raises(UnknownName, match=f"called 'twin'; give an id: {twins[0]}, {twins[1]}$"):
            explainer.verdict(Query(name, "web", Service.parse("tcp/80")))
    with pytest.raises(UnknownName, match="there is no instance"):
        explainer.verdict(Query("twine", "web", Service.parse("tcp/80")))
