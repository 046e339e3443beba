"""What is refused: by which code, at which field, and that nothing but the audit knows of it afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ringfence.control import (
    addressing,
    attaching,
    basic,
    cloning,
    lines,
    machines,
    membership,
    quotas,
    rules,
    tagging,
)
from ringfence.control import entries as entries_
from ringfence.control.draft import Draft
from ringfence.control.lines import Place
from ringfence.errors import Protected, QuotaExceeded
from ringfence.model.address import Family
from ringfence.model.validation.quotas import TOO_MANY_RULES_ON_PORT
from ringfence.resources.kind import Kind
from tests.control.service import Service, told

WRONG_STATE, WRONG_POWER = attaching.WRONG_STATE, machines.WRONG_POWER
MANAGED, PROTECTED = "InvalidOperation.ResourceManagedByCloudProduct", "InvalidOperation.DeletionProtection"
Work = Callable[[Draft], Any]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two VPCs of one cloud, one of the other, the classic network, and a little of everything in them."""
    with Service.fresh(tmp_path_factory.mktemp("shop")) as made:
        for number, (vpc, profile, network) in enumerate(
            [
                ("shop", "alibaba", "vpc"),
                ("old", "alibaba", "vpc"),
                ("corp", "huawei", "vpc"),
                ("cl", "alibaba", "classic"),
            ]
        ):
            made.make(Kind.VPC, name=vpc, cidrs=[f"10.{number}.0.0/16"], profile=profile, network=network)
            made.make(Kind.SUBNET, name=f"{vpc}-1", vpc=vpc, cidr=f"10.{number}.1.0/24")
            made.make(Kind.GROUP, name=f"sg-{vpc}", vpc=vpc)
            made.make(Kind.INSTANCE, name=f"{vpc}-a", ports=[{"subnet": f"{vpc}-1", "groups": [f"sg-{vpc}"]}])
            made.make(Kind.PORT, subnet=f"{vpc}-1", groups=[f"sg-{vpc}"], label=f"loose-{vpc}")
        for number in range(2):
            made.make(
                Kind.PORT,
                instance="corp-a",
                subnet="corp-1",
                groups=["sg-corp"],
                vlan=number,
                parent="corp-a.eth0" * number,
            )
        made.make(Kind.INSTANCE, name="off", power="stopped")
        made.make(Kind.PENALTY, port="corp-a.eth1", reason="spam")
        made.make(Kind.INSTANCE, name="plain", ports=[{"subnet": "shop-1"}])
        made.make(Kind.GROUP, name="sg-adv", vpc="shop", type="advanced")
        made.make(Kind.GROUP, name="sg-kept", vpc="shop", protected=True)
        made.make(Kind.GROUP, name="sg-named", vpc="shop")
        made.make(Kind.ADDRESS_GROUP, name="office", entries=["203.0.113.0/24"])
        made.make(Kind.PORT_LIST, name="web-ports", entries=["80", "90-99"], max_entries=3)
        made.make(Kind.ACL, name="acl", vpc="shop", rules=["in allow tcp 80 from any to any"])
        line = made.make(Kind.ACL_LINE, rule="allow tcp 80 from any to any")
        made.make(Kind.ACL_POLICY, name="web", rules=[line.id])
        made.make(Kind.RULE, group="sg-shop", rule="in allow tcp 80 from any")
        made.make(Kind.RULE, group="sg-shop", rule="in allow tcp 81 from group sg-named")
        made.make(Kind.RULE, group="sg-shop", rule="in allow tcp 82 from office")
        made.make(Kind.RULE, group="sg-shop", rule="in allow udp web-ports from 10.0.0.0/8")
        made.do(lambda draft: made.identities.create_key(draft, ""))
        service = made.acting(service="nat")
        service.make(Kind.GROUP, name="sg-nat", vpc="shop", managed="nat")
        service.make(Kind.RULE, group="sg-nat", rule="in allow tcp 9 from any")
        service.make(Kind.RULE, group="sg-shop", rule="in allow tcp 7 from any managed nat")
        yield made


def loose(draft: Draft, vpc: str) -> str:
    """The port of no instance that is in a VPC."""
    return next(it.name for it in draft.state.world.detached.values() if it.vpc == vpc)


def ports_and_machines() -> Iterator[tuple[str, Work, list[tuple[str, str]]]]:
    """Attaching, detaching, hanging, moving, and what machines do."""

    def attach(vpc: str, instance: str, **more: Any) -> Work:
        return lambda draft: attaching.attach(draft, loose(draft, vpc), instance, **more)

    def hang(port: str, parent: str, **more: Any) -> Work:
        return lambda draft: attaching.hang(draft, port or loose(draft, "corp"), parent, **more)

    def detach(port: str, **more: Any) -> Work:
        return lambda draft: attaching.detach(draft, port or loose(draft, "shop"), **more)

    def assign(*addresses: str, **more: Any) -> Work:
        return lambda draft: addressing.assign(draft, "shop-a.eth0", addresses, **more)

    def unassign(address: str) -> Work:
        return lambda draft: addressing.unassign(draft, "shop-a.eth0", [address])

    def move(instance: str, subnet: str, group: str = "sg-shop", **more: Any) -> Work:
        return lambda draft: machines.move(draft, instance, subnet, [group], **more)

    below, primary = "corp-a.eth2", "corp-a.eth0"
    yield "no such port", lambda draft: attaching.attach(draft, "eni-x", "shop-a"), [("resource.not_found", "id")]
    yield "no such instance", attach("shop", "x"), [("resource.not_found", "id")]
    yield "of another VPC", attach("shop", "old-a"), [(attaching.OTHER_VPC, "instance")]
    yield "attached already", lambda draft: attaching.attach(draft, primary, "shop-a"), [(WRONG_STATE, "port")]
    yield "an index that is taken", attach("shop", "shop-a", index=0), [("world.duplicate", "index")]
    yield "detached already", detach(""), [(WRONG_STATE, "port")]
    yield "the primary port", detach("shop-a.eth0"), [(attaching.PRIMARY, "port")]
    yield "of another instance", detach("corp-a.eth1", instance="shop-a"), [(WRONG_STATE, "port")]
    yield "a penalised port", detach("corp-a.eth1"), [("resource.in_use", "port")]
    yield "one with a wire hangs off another", hang("corp-a.eth1", primary), [(WRONG_STATE, "port")]
    yield "one that hangs carries another", hang("", below), [(WRONG_STATE, "port")]
    yield "a parent in another VPC", hang("", "shop-a.eth0"), [(attaching.OTHER_VPC, "parent")]
    taken = [("world.duplicate", "instances.corp-a.ports.eth3.vlan")]
    yield "a VLAN that is taken", hang("", primary, vlan=1), taken
    yield "no VLAN", hang("", primary, vlan=4095), [("world.supplementary", "instances.corp-a.ports.eth3.vlan")]
    none = [("limit.sub_ports_per_instance", "instances.shop-a.ports")]
    hung = create(Kind.PORT, subnet="shop-1", groups=["sg-shop"], parent="shop-a.eth0")
    yield "a supplementary interface where there are none", hung, none
    yield "its own address again", assign("10.0.1.2"), [("world.duplicate", "addresses.0")]
    yield "one address twice", assign("10.0.1.9", "10.0.1.9"), [("world.duplicate", "addresses.1")]
    yield "no address", assign("10.0.1.x"), [("input.notation", "addresses.0")]
    yield "another port's address", assign("10.0.1.3"), [("world.address_in_use", "detached.LOOSE.ip")]
    yield "none at all", assign(), [("input.field", "addresses")]
    yield "more than there are", assign(count=300), [("InvalidVSwitch.NoFreeIp", "addresses")]
    yield "none of the family", assign(count=1, family=Family.IPV6), [("input.field", "family")]
    yield "the primary address", unassign("10.0.1.2"), [("input.field", "addresses.0")]
    yield "an address of nobody's", unassign("10.0.1.99"), [("input.field", "addresses.0")]
    yield "started twice", lambda draft: machines.start(draft, "shop-a"), [(WRONG_POWER, "instance")]
    yield "stopped twice", lambda draft: machines.stop(draft, "off"), [(WRONG_POWER, "instance")]
    yield "rebooted while stopped", lambda draft: machines.reboot(draft, "off"), [(WRONG_POWER, "instance")]
    yield "released while it runs", lambda draft: machines.release(draft, "shop-a"), [(WRONG_POWER, "instance")]
    yield "moved while it runs", move("shop-a", "shop-1"), [(WRONG_POWER, "instance")]
    yield "moved without a port", move("off", "shop-1"), [("InvalidInstanceId.NotFound", "instance")]
    yield "moved to no subnet", move("shop-a", "x", force=True), [("resource.not_found", "id")]
    yield "moved away from its other ports", move("corp-a", "shop-1", force=True), [(machines.MORE_PORTS, "subnet")]
    other = [(machines.OTHER_VPC, "vpc")]
    yield "moved to a subnet of another VPC than said", move("shop-a", "old-1", vpc="shop", force=True), other
    yield (
        "moved with the groups of the old VPC",
        move("shop-a", "old-1", force=True),
        [("world.group_of_other_vpc", "instances.shop-a.ports.eth0.groups")],
    )
    yield "its power by hand", update(Kind.INSTANCE, "shop-a", power="stopped"), [("input.fixed_field", "power")]
    yield "its parent by hand", update(Kind.PORT, below, parent=""), [("input.fixed_field", "parent")]
    yield (
        "a penalty where no packet passes",
        lambda draft: basic.create(draft, Kind.PENALTY, {"port": loose(draft, "shop"), "reason": "x"}),
        [("world.unknown_port", "port")],
    )


def create(kind: Kind, **said: Any) -> Work:
    return lambda draft: basic.create(draft, kind, said)


def update(kind: Kind, ref: str, **said: Any) -> Work:
    return lambda draft: basic.update(draft, kind, ref, said)


def delete(kind: Kind, ref: str, **how: Any) -> Work:
    return lambda draft: basic.delete(draft, kind, ref, **how)


def authorize(*said: Any, group: str = "sg-shop") -> Work:
    return lambda draft: rules.authorize(draft, group, said)


def revoke(ids: list[Any], *said: Any) -> Work:
    return lambda draft: rules.revoke(draft, "sg-shop", ids, said)


def join(group: str, *members: str) -> Work:
    return lambda draft: membership.join(draft, group, members)


def leave(group: str, *members: str) -> Work:
    return lambda draft: membership.leave(draft, group, members)


def groups_of(member: str, *groups: str) -> Work:
    return lambda draft: membership.set_groups(draft, [member], groups)


def clone(group: str, **said: Any) -> Work:
    return lambda draft: cloning.clone(draft, group, {"name": "sg-new", **said})


def entries(add: list[Any], remove: list[Any], kind: Kind = Kind.ADDRESS_GROUP) -> Work:
    ref = "office" if kind is Kind.ADDRESS_GROUP else "web-ports"
    return lambda draft: entries_.edit_entries(draft, kind, ref, add, remove)


def _not(*fields: str) -> list[tuple[str, str]]:
    """What is no notation."""
    return [("input.notation", field) for field in fields]


def line(text: str, kind: Kind = Kind.ACL, ref: str = "acl", **place: Any) -> Work:
    return lambda draft: lines.insert(draft, kind, ref, text, Place(**place))


def tag(**tags: Any) -> Work:
    return lambda draft: tagging.tag(draft, Kind.GROUP, "sg-shop", tags)


def key(draft: Draft) -> str:
    return draft.owned(Kind.ACCESS_KEY)[0].id


GOOD = "in allow tcp 1 from 10.0.0.0/8"
REFUSED: list[tuple[str, Work, list[tuple[str, str]]]] = [
    ("no rule", authorize(), [("limit.rules_per_call", "rules")]),
    ("101 rules", authorize(*[GOOD] * 101), [("limit.rules_per_call", "rules")]),
    ("a rule that does not parse", authorize(GOOD, "in x"), [("input.notation", "rules.1")]),
    (
        "every mistake is told",
        authorize("up", GOOD, {"direction": "ingress", "protocol": "tcp", "ports": "0", "remote": 7}),
        [("input.notation", "rules.0"), ("input.notation", "rules.2.ports"), ("input.notation", "rules.2.remote")],
    ),
    ("a rule that is no rule", authorize(5), [("input.field", "rules.0.rule")]),
    ("a rule of another group", authorize({"rule": GOOD, "group": "sg-adv"}), [("input.field", "rules.0.group")]),
    (
        "a rule with no field so",
        authorize({"rule": GOOD, "colour": "red"}),
        [("input.unknown_field", "rules.0.colour")],
    ),
    (
        "a group that is not there",
        authorize(GOOD, "in allow tcp 1 from group sg-x"),
        [("InvalidSourceGroupId.NotFound", "rules.1.remote")],
    ),
    (
        "an address group that is not there",
        authorize("in allow tcp 1 from home"),
        [("InvalidPrefixListId.NotFound", "rules.0.remote")],
    ),
    (
        "the group itself",
        authorize(GOOD, "in allow tcp 1 from group sg-shop"),
        [("InvalidParamter.Conflict", "rules.1")],
    ),
    (
        "a group of another VPC",
        authorize("in allow tcp 1 from group sg-old"),
        [("InvalidSourceGroupId.Mismatch", "rules.0")],
    ),
    (
        "five tuples",
        authorize("in allow tcp 1 from any to 10.2.0.1/32", group="sg-corp"),
        [("world.five_tuple", "rules.0")],
    ),
    (
        "too many rules",
        authorize(*(f"in allow tcp {n} from any" for n in range(1, 27)), group="sg-corp"),
        [("AuthorizationLimitExceed", "groups.sg-corp")],
    ),
    ("no such group", authorize(GOOD, group="sg-x"), [("resource.not_found", "id")]),
    ("an unknown id", revoke(["sgr-x"]), [("InvalidParam.SecurityGroupRuleId", "ids.0")]),
    ("a managed rule", revoke([], "in allow tcp 7 from any"), [(MANAGED, "managed")]),
    ("a rule into a managed group", authorize(GOOD, group="sg-nat"), [(MANAGED, "managed")]),
    ("a rule with a service's name", authorize("in allow tcp 1 from any managed nat"), [(MANAGED, "managed")]),
    ("a managed group changes", update(Kind.GROUP, "sg-nat", description="x"), [(MANAGED, "managed")]),
    ("a managed group goes", delete(Kind.GROUP, "sg-nat"), [(MANAGED, "managed")]),
    (
        "a managed group is tagged",
        lambda draft: tagging.tag(draft, Kind.GROUP, "sg-nat", {"a": "b"}),
        [(MANAGED, "managed")],
    ),
    ("to join a managed group", join("sg-nat", "shop-a"), [(MANAGED, "managed")]),
    (
        "to begin in a managed group",
        create(Kind.INSTANCE, name="n", ports=[{"subnet": "shop-1", "groups": ["sg-nat"]}]),
        [(MANAGED, "managed")],
    ),
    ("no member", join("sg-named"), [("limit.members_per_call", "members")]),
    ("21 members", join("sg-named", *["shop-a"] * 21), [("limit.members_per_call", "members")]),
    ("a member that is not there", join("sg-named", "shop-a", "nobody"), [("InvalidInstanceId.NotFound", "members.1")]),
    ("a port that is not there", join("sg-named", "shop-a.eth7"), [("InvalidInstanceId.NotFound", "members.0")]),
    (
        "a member of another VPC",
        join("sg-old", "shop-a"),
        [("world.group_of_other_vpc", "instances.shop-a.ports.eth0.groups")],
    ),
    (
        "basic and advanced on a port",
        join("sg-adv", "shop-a"),
        [("world.group_type", "instances.shop-a.ports.eth0.groups")],
    ),
    (
        "classic and VPC",
        join("sg-cl", "shop-a"),
        [("InvalidNetworkType.Mismatch", "instances.shop-a.ports.eth0.groups")],
    ),
    (
        "another cloud's group",
        join("sg-corp", "shop-a"),
        [("world.group_of_other_vpc", "instances.shop-a.ports.eth0.groups")],
    ),
    ("not a member", leave("sg-named", "plain", "shop-a"), [("InvalidSecurityGroupAssociation.NotFound", "members.0")]),
    ("the last group", leave("sg-shop", "shop-a"), [("InstanceLastSecurityGroup", "members.0")]),
    ("no group at all", groups_of("shop-a"), [("InstanceLastSecurityGroup", "groups")]),
    (
        "into a group that is not there",
        groups_of("shop-a", "sg-shop", "sg-x"),
        [("InvalidSecurityGroupId.NotFound", "groups.1")],
    ),
    (
        "one group twice",
        groups_of("shop-a", "sg-shop", "sg-shop"),
        [("world.duplicate", "instances.shop-a.ports.eth0.groups")],
    ),
    ("a clone without a place", clone("sg-shop", vpc="nowhere"), [("resource.not_found", "vpc")]),
    (
        "an advanced clone in the other cloud",
        clone("sg-corp", type="advanced"),
        [("world.group_type", "groups.sg-new.type")],
    ),
    ("21 tags", tag(**{f"k{n}": "v" for n in range(21)}), [("limit.tags", "tags")]),
    ("a reserved tag", tag(aliyun="x"), [("input.tag", "tags")]),
    ("a tag that is no text", tag(a=1), [("input.field", "tags")]),
    ("no entry", entries([], []), [("limit.entries_per_call", "add")]),
    ("201 entries", entries(["10.0.0.1"] * 201, []), [("limit.entries_per_call", "add")]),
    (
        "entries that are none",
        entries(["10.0.0.1", "x"], ["y"]),
        [("input.notation", "add.1"), ("input.notation", "remove.0")],
    ),
    ("in and out at once", entries(["10.0.0.1/32"], ["10.0.0.1/32"]), [("input.field", "remove.0")]),
    ("entries of two families", entries(["fd00::/64"], []), [("world.mixed_family", "address_groups.office")]),
    (
        "21 entries",
        entries([f"10.{n}.0.0/16" for n in range(20)], []),
        [("limit.address_group_entries", "address_groups.office")],
    ),
    ("ports that are none", entries(["443", "0", "8-7"], ["x"], Kind.PORT_LIST), _not("add.1", "add.2", "remove.0")),
    ("an entry that is neither text nor object", entries([7, {"entry": "1", "x": "y"}], []), _not("add.0", "add.1")),
    ("a remark that is none", entries([{"entry": "10.0.0.1", "remark": "x" * 256}], []), _not("add.0")),
    (
        "a port too many",
        entries(["1", "2"], [], Kind.PORT_LIST),
        [("limit.port_list_entries", "port_lists.web-ports")],
    ),
    (
        "a remark about no entry",
        update(Kind.PORT_LIST, "web-ports", remarks={"81": "x"}),
        [("input.notation", "port_list")],
    ),
    ("a port list's bound", update(Kind.PORT_LIST, "web-ports", max_entries=9), [("input.fixed_field", "max_entries")]),
    ("a family", update(Kind.ADDRESS_GROUP, "office", family="ipv6"), [("input.fixed_field", "family")]),
    ("a family that is none", create(Kind.ADDRESS_GROUP, name="n", family="ipv5"), [("input.notation", "family")]),
    (
        "a port list that is not there",
        authorize("in allow tcp web-port from any"),
        [("InvalidPortRangeListId.NotFound", "rules.0.ports")],
    ),
    ("a port list of no ports", authorize("in allow icmp web-ports from any"), _not("rules.0")),
    ("a port list in an ACL", line("in allow tcp web-ports from any to any"), _not("rule")),
    ("a port list that is named", delete(Kind.PORT_LIST, "web-ports"), [("resource.in_use", "id")]),
    ("a line that does not parse", line("in allow"), [("input.notation", "rule")]),
    ("a line before none", line("in deny all from any to any", before=2), [("resource.not_found", "before")]),
    ("a line before and after", line("in deny all from any to any", before=1, after=1), [("input.field", "before")]),
    ("a line twice", line("in allow tcp 80 from any to any"), [("world.duplicate", "acls.acl.rules.1")]),
    (
        "a line without a direction",
        line("deny all from any to any", Kind.VPC, "shop"),
        [("world.rule_direction", "vpcs.shop.border.0")],
    ),
    (
        "no line to remove",
        lambda draft: lines.remove(draft, Kind.ACL, "acl", "acr-x"),
        [("resource.not_found", "line")],
    ),
    *ports_and_machines(),
    ("a protected group", delete(Kind.GROUP, "sg-kept"), [(PROTECTED, "id")]),
    ("the default group", delete(Kind.GROUP, "default"), [("resource.protected", "id")]),
    ("the default group's name", update(Kind.GROUP, "default", name="x"), [("resource.protected", "name")]),
    ("a group with members", delete(Kind.GROUP, "sg-shop"), [("DependencyViolation", "id")]),
    ("a group that is named", delete(Kind.GROUP, "sg-named"), [("DependencyViolation", "id")]),
    ("an address group that is named", delete(Kind.ADDRESS_GROUP, "office"), [("resource.in_use", "id")]),
    ("a VPC with things in it", delete(Kind.VPC, "shop"), [("resource.in_use", "id")]),
    ("ports that are no list", create(Kind.INSTANCE, name="n", ports=7), [("input.field", "ports")]),
    (
        "a sealed secret",
        lambda draft: basic.update(draft, Kind.ACCESS_KEY, key(draft), {"sealed": "x"}),
        [("input.unknown_field", "sealed")],
    ),
    (
        "a second quota",
        lambda draft: [basic.create(draft, Kind.QUOTA, {"limits": {"rules_per_group": n}}) for n in (300, 301)],
        [("quota.exists", "target")],
    ),
    ("a limit that is none", lambda draft: quotas.set_limits(draft, "*", {"speed": 3}), [("input.field", "limits")]),
    (
        "a quota for nobody",
        lambda draft: quotas.set_limits(draft, "acct-x", {"rules_per_group": 3}),
        [("resource.not_found", "target")],
    ),
    (
        "less than there is",
        lambda draft: quotas.set_limits(draft, "*", {"groups_per_account": 2}),
        [("QuotaExceed.SecurityGroup", "group")],
    ),
    (
        "fewer rules than there are",
        lambda draft: quotas.set_limits(draft, "operator", {"rules_per_group": 1}),
        [("AuthorizationLimitExceed", "groups.default")],
    ),
]


LOWERED = [
    ("acl_rules_per_direction", "limit.acl_rules", "acls.acl"),
    ("address_group_entries", "limit.address_group_entries", "address_groups.office"),
    ("port_lists_per_account", "QuotaExceed.PortList", "port_list"),
    ("subnets_per_vpc", "limit.subnets_per_vpc", "vpcs.cl.subnets"),
    ("ports_per_instance", "limit.ports_per_instance", "instances.cl-a.ports"),
    ("sub_ports_per_instance", "limit.sub_ports_per_instance", "instances.corp-a.ports"),
    ("members_per_group", "SecurityGroupInstanceLimitExceed", "groups.default"),
    ("groups_per_port", "InstanceSecurityGroupLimitExceeded", "instances.cl-a.ports.eth0.groups"),
    ("vpcs_per_account", "QuotaExceed.Vpc", "vpc"),
    ("acls_per_account", "QuotaExceed.NetworkAcl", "acl"),
    ("acl_policies_per_account", "QuotaExceed.AclPolicy", "acl_policy"),
    ("acl_lines_per_account", "QuotaExceed.AclLine", "acl_line"),
]


@pytest.mark.parametrize(("limit", "code", "field"), LOWERED)
def test_no_limit_goes_below_what_is_used(shop: Service, limit: str, code: str, field: str) -> None:
    """Whether it is set for the account or for all."""
    works: list[Work] = [
        lambda draft: quotas.set_limits(draft, "operator", {limit: 0}),
        lambda draft: quotas.set_limits(draft, "*", {limit: 0}),
    ]
    assert [told(shop.refused(work)) for work in works] == [[(code, field)]] * 2


@pytest.mark.parametrize(("work", "wanted"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_refusal_has_a_code_and_a_field_and_changes_nothing(
    shop: Service, work: Work, wanted: list[tuple[str, str]]
) -> None:
    error = shop.refused(work)
    spare = {it.name for it in shop.control.state.world.detached.values()}
    assert [(code, re.sub("|".join(spare), "LOOSE", field)) for code, field in told(error)] == wanted
    assert "sealed" not in str(error) or "no field" in str(error)


def test_of_two_rules_that_say_the_same_the_new_one_is_named(shop: Service) -> None:
    """Whichever of their ids comes first."""
    for rule in shop.control.state.world.groups["sg-shop"].rules:
        if not rule.managed:
            error = shop.refused(create(Kind.RULE, group="sg-shop", rule=rule.key))
            assert told(error) == [("world.duplicate", "rule")]


def test_a_clone_tells_each_rule_that_cannot_stand_there(shop: Service) -> None:
    """Into another VPC: the rule that names a group of the old one."""
    error = shop.refused(clone("sg-shop", vpc="old"))
    [(code, field)] = told(error)
    assert code == "InvalidSourceGroupId.Mismatch"
    rule = shop.control.state.get(Kind.RULE, field.removeprefix("rules."))
    assert rule
    assert "tcp 81" in str(rule.value.rule)  # type: ignore[union-attr]


def test_the_vendors_message_when_the_rules_of_a_port_are_exhausted(shop: Service) -> None:
    """The same on joining a group and on adding a rule, and word for word (Security FAQ)."""

    def tight(draft: Draft) -> object:
        return quotas.set_limits(draft, "operator", {"rules_per_port": 6})

    more = ["in allow tcp 2001 from 10.0.0.0/8"]
    works: list[Work] = [
        lambda draft: (tight(draft), rules.authorize(draft, "sg-shop", [*more, "in allow tcp 2002 from 10.0.0.0/8"])),
        lambda draft: (
            tight(draft),
            rules.authorize(draft, "sg-named", more),
            membership.join(draft, "sg-named", ["shop-a"]),
        ),
    ]
    for work in works:
        error = shop.refused(work)
        assert isinstance(error, QuotaExceeded)
        assert error.what == TOO_MANY_RULES_ON_PORT
        assert told(error) == [("AclLimitExceed", "instances.shop-a.ports.eth0.groups")]


def test_a_user_may_not_have_a_key_of_the_account_whatever_policies_say(shop: Service) -> None:
    all_ = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    with_user = shop.do(
        lambda draft: basic.create(
            draft,
            Kind.USER,
            {"name": "bob", "policies": [basic.create(draft, Kind.POLICY, {"name": "all", "document": all_}).id]},
        )
    )
    bob = replace(shop, caller=replace(shop.caller, user=with_user.id))
    assert told(bob.refused(lambda draft: shop.identities.create_key(draft, ""))) == [("ram.forbidden", "")]
    assert told(bob.refused(lambda draft: basic.delete(draft, Kind.ACCESS_KEY, key(draft)))) == [("ram.forbidden", "")]
    made, _ = bob.do(lambda draft: shop.identities.create_key(draft, "bob"))
    assert made.account == "operator"


def test_a_managed_services_own_hand_is_not_refused(shop: Service) -> None:
    nat = shop.acting(service="nat")
    nat.do(join("sg-nat", "shop-a"))
    assert isinstance(shop.refused(leave("sg-nat", "shop-a")), Protected)
    nat.do(leave("sg-nat", "shop-a"))
