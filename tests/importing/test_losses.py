"""Nothing is lost in silence: each leaf of each configuration is in the world or in the report (accounting.py)."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest

from ringfence.importing.report import Outcome
from tests.importing import shapes
from tests.importing.accounting import accounted, lost, rules_by_group
from tests.importing.reading import imported, notes, passes, rules
from tests.importing.shapes import ALL, Doc
from tests.importing.test_laws import FEW


@pytest.mark.parametrize("name", FEW)
def test_a_leaf_that_says_something_else_is_noticed(name: str) -> None:
    assert lost(FEW[name]) == []


@pytest.mark.parametrize("name", ALL)
def test_the_rules_of_each_group_are_in_the_world_or_told(name: str) -> None:
    assert accounted(imported(ALL[name])) == Counter(rules_by_group([*ALL[name].values()]))


EVERY_FIELD = shapes.permission(
    "ingress",
    "TCP",
    "80/80",
    SourceCidrIp="10.0.0.0/8",
    Ipv6SourceCidrIp="fd00:1::/64",
    SourceGroupId="sg-bp1far",
    SourcePrefixListId="pl-bp1",
    SourcePortRange="1024/65535",
    DestCidrIp="10.0.1.0/24",
    Ipv6DestCidrIp="fd00:2::/64",
    DestGroupId="sg-bp1near",
    DestPrefixListId="pl-bp2",
    PortRangeListId="prl-bp1",
)


def test_what_a_rule_names_besides_is_told() -> None:
    """As the API's own example has every field at once: a prefix counts before a group and a list."""
    files = {"a.json": shapes.attribute("sg-bp1web", EVERY_FIELD)}
    made = imported(files)
    wanted = "in allow tcp 80 from 10.0.0.0/8 port 1024-65535 to 10.0.1.0/24"
    assert rules(made, "web") == {wanted}
    told = {note.what.partition(" ")[0] for note in notes(made, Outcome.TOLD)}
    assert told >= {"Ipv6SourceCidrIp", "SourceGroupId", "SourcePrefixListId", "Ipv6DestCidrIp", "DestGroupId"}
    assert told >= {"DestPrefixListId", "PortRangeListId"}
    assert lost(files) == []


def test_source_ports_of_a_protocol_without_ports_are_told() -> None:
    rule = shapes.permission("ingress", "ICMP", "-1/-1", SourceCidrIp="10.0.0.0/8", SourcePortRange="7/8")
    denied = {**rule, "Policy": "Drop"}
    made = imported({"a.json": shapes.attribute("sg-bp1web", rule, denied)})
    assert rules(made, "web") == {"in allow icmp from 10.0.0.0/8"}
    assert [note.outcome for note in made.report.notes if "source ports 7/8" in note.why] == ["changed", "left out"]


def test_ports_said_in_two_ways_are_told_where_they_differ() -> None:
    rule = shapes.huawei_rule("r-1", "g-1", protocol="tcp", multiport="80", port_range_min=22, port_range_max=22)
    same = shapes.huawei_rule("r-2", "g-1", protocol="tcp", multiport=443, port_range_min=443, port_range_max=443)
    made = imported({"rules.json": {"security_group_rules": [rule, same]}})
    assert rules(made, "g-1") == {"in allow tcp 80 from 0.0.0.0/0", "in allow tcp 443 from 0.0.0.0/0"}
    assert [note.what for note in notes(made, Outcome.TOLD)] == ["port_range_min 22, port_range_max 22"]


def test_a_primary_prefix_among_the_associations_is_one_prefix() -> None:
    """As every answer about a VPC has it; one that was taken away is none."""
    sets = [
        {"CidrBlock": block, "AssociationId": "a", "CidrBlockState": {"State": state}}
        for block, state in (
            ("10.0.0.0/16", "associated"),
            ("10.1.0.0/16", "associated"),
            ("10.2.0.0/16", "disassociated"),
        )
    ]
    vpc = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "CidrBlockAssociationSet": sets}
    made = imported({"vpcs.json": {"Vpcs": [vpc]}})
    assert [str(each) for each in made.world.vpcs["vpc-1"].cidrs] == ["10.0.0.0/16", "10.1.0.0/16"]
    assert not notes(made, Outcome.LEFT_OUT)


def test_files_that_do_not_agree_are_told() -> None:
    """What one file says of a group, a subnet or an interface counts, and what another says of it is told."""
    files = copy.deepcopy(ALL["aws"])
    files["interfaces.json"]["NetworkInterfaces"][0]["SubnetId"] = "subnet-0a"
    other = shapes.aws_group("sg-0web", "www", [], vpc="vpc-0b")
    subnet = {"SubnetId": "subnet-0a", "VpcId": "vpc-0b", "CidrBlock": "10.9.0.0/24"}
    made = imported({**files, "more.json": {"SecurityGroups": [other]}, "z.json": {"Subnets": [subnet]}})
    told = {note.what for note in notes(made, Outcome.TOLD)}
    assert told >= {"name www", "VPC vpc-0b", "subnet subnet-0b", "prefix 10.9.0.0/24"}


@pytest.mark.parametrize("enabled", [(True, False), (False, True)])
def test_of_two_rules_that_say_the_same_the_one_that_is_enabled_counts(enabled: tuple[bool, bool]) -> None:
    said = [shapes.huawei_rule(f"r-{n}", "g-1", protocol="tcp", enabled=each) for n, each in enumerate(enabled)]
    made = imported({"rules.json": {"security_group_rules": said}})
    assert rules(made, "g-1") == {"in allow tcp from 0.0.0.0/0"}
    assert len(notes(made, Outcome.MERGED)) == 1


def test_a_network_acls_last_line_is_merged_only_where_it_denies_all() -> None:
    files = copy.deepcopy(ALL["aws"])
    entries = files["acls.json"]["NetworkAcls"][0]["Entries"]
    next(each for each in entries if each["RuleNumber"] == 32767)["CidrBlock"] = "10.0.0.0/8"
    merged = [note.what for note in notes(imported(files), Outcome.MERGED)]
    assert merged.count("line 32767 of acl-0a") == 1


def usual(provider: str, **group: Any) -> Doc:
    """A state with a group and no rules."""
    own = {"id": "g-1", "name": "web", **group}
    return shapes.state((f"{provider}_networking_secgroup{'_v2' if provider == 'openstack' else ''}", own))


BOTH = {"out allow all to 0.0.0.0/0", "out allow all to ::/0"}
OWN = {f"in allow all from group web to {every}" for every in ("0.0.0.0/0", "::/0")}


@pytest.mark.parametrize(
    ("provider", "group", "wanted"),
    [
        ("openstack", {}, BOTH),
        ("openstack", {"delete_default_rules": None}, BOTH),
        ("openstack", {"delete_default_rules": True}, set()),
        ("huaweicloud", {}, BOTH | OWN),
        ("huaweicloud", {"rules": []}, set()),
        ("huaweicloud", {"delete_default_rules": True}, set()),
    ],
)
def test_rules_that_a_cloud_makes_with_a_group_are_there_and_told(
    provider: str, group: dict[str, Any], wanted: set[str]
) -> None:
    """Terraform's states do not tell them, but for the younger provider of Huawei Cloud."""
    made = imported({"state.json": usual(provider, **group)})
    assert rules(made, "web") == wanted
    assert [note.what for note in notes(made, Outcome.MADE_UP)].count("rule of g-1") == len(wanted)


def test_what_two_clouds_may_have_said_is_of_the_one_that_another_file_is_of() -> None:
    """Ports and rules of Huawei Cloud's older APIs look as OpenStack's do."""
    files = copy.deepcopy(ALL["huawei"])
    port: Doc = {"id": "p-9", "device_id": "vm-9", "device_owner": "compute:az1", "network_id": "net-a"}
    port |= {"fixed_ips": [{"ip_address": "10.0.1.19"}], "security_groups": ["g-web"]}
    files["ports.json"] = {"ports": [port]}
    made = imported(files)
    assert made.cloud == "huawei"
    assert "vm-9" in made.world.instances
    alone = imported({"ports.json": files["ports.json"]})
    assert alone.cloud == "openstack"
    assert any("--kind huawei" in text for text in alone.report.assumptions)


def test_a_port_that_no_group_guards_lets_everything_pass() -> None:
    files = copy.deepcopy(ALL["huawei"])
    files["ports.json"]["ports"][0] |= {"port_security_enabled": False}
    assert passes(imported(files), "192.0.2.9 -> vm-web tcp/9999")


def test_a_group_behind_a_peering_that_is_gone_is_told() -> None:
    pair = {"UserIdGroupPairs": [{"GroupId": "sg-2", "PeeringStatus": "deleted", "VpcId": "vpc-2"}]}
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": [], **pair}
    made = imported({"g.json": {"SecurityGroups": [shapes.aws_group("sg-1", "web", [permission])]}})
    assert "the peering to the VPC of sg-2 is deleted" in {note.why for note in notes(made, Outcome.TOLD)}


def test_things_of_aws_by_themselves_are_read() -> None:
    """As ``--query SecurityGroups`` and ``--query SecurityGroupRules`` leave them."""
    groups = ALL["aws"]["security-groups.json"]["SecurityGroups"]
    rule = {"SecurityGroupRuleId": "sgr-9", "GroupId": "sg-0db", "IpProtocol": "tcp", "FromPort": 99, "ToPort": 99}
    made = imported({"groups.json": groups, "rules.json": [{**rule, "CidrIpv4": "10.0.0.0/8", "IsEgress": False}]})
    assert "in allow tcp 99 from 10.0.0.0/8" in rules(made, "db")
    assert rules(made, "web") == rules(imported(ALL["aws"]), "web") - {"in allow tcp 22 from com.s3"}


def test_two_remotes_of_a_rule_exclude_each_other() -> None:
    """Where no cloud says which one counts, the file is refused."""
    rule = shapes.huawei_rule("r-1", "g-1", remote_ip_prefix="10.0.0.0/8", remote_group_id="g-2")
    with pytest.raises(Exception, match="both remote_ip_prefix and remote_group_id; one of them belongs here"):
        imported({"rules.json": {"security_group_rules": [rule]}})


def test_fields_that_nobody_reads_are_told_by_the_things_that_have_them() -> None:
    files = copy.deepcopy(ALL["aws"])
    groups = files["security-groups.json"]["SecurityGroups"]
    lines = imported({"g.json": {"SecurityGroups": groups, "ResponseMetadata": {"RequestId": "1"}}}).report.lines()
    assert [line for line in lines if line.startswith("not read")] == [
        "not read: g.json the whole: ResponseMetadata (1)",
        "not read: g.json SecurityGroups[]: OwnerId (5), SecurityGroupArn (5), Tags (5)",
        "not read: g.json SecurityGroups[].IpPermissions[].UserIdGroupPairs[]: UserId (6)",
    ]


def test_a_world_without_machines_says_why_nobody_reaches_anybody() -> None:
    made = imported({"security-groups.json": ALL["aws"]["security-groups.json"]})
    assert any(text.startswith("no machine is in the world") for text in made.report.assumptions)
