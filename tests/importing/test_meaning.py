"""What each cloud means is what the world means: rules word by word, and flows as the cloud would judge them."""

from __future__ import annotations

import copy

import pytest

from ringfence.importing.report import Outcome
from ringfence.model.rule import Direction
from tests.importing import shapes
from tests.importing.reading import imported, notes, passes, rules
from tests.importing.shapes import ALL, MANY

RULES: list[tuple[str, str, set[str]]] = [
    (
        "aws",
        "web",
        {
            'in allow tcp 80 from 0.0.0.0/0 "from 0.0.0.0/0"',
            "in allow tcp 80 from ::/0",
            'in allow tcp 22 from 203.0.113.7/32 "from 203.0.113.7/32"',
            'in allow tcp 22 from 203.0.113.64/26 "from 203.0.113.64/26"',
            "in allow tcp 22 from pl-0a",
            'in allow icmp from 10.0.0.0/16 "from 10.0.0.0/16"',  # type 8 alone: told
            'in allow icmp from 10.0.0.0/8 "from 10.0.0.0/8"',
            "in allow all from group web",
            'out allow all to 0.0.0.0/0 "from 0.0.0.0/0"',
        },
    ),
    (
        "aws",
        "db",
        {"in allow tcp 3306 from group web", "in allow tcp 3306 from group sg-0far", "in allow udp from group db"},
    ),
    (
        "alibaba",
        "web",
        {
            "in allow tcp 80 from 0.0.0.0/0",
            "in deny tcp 22 from 0.0.0.0/0 priority 2",
            "in allow tcp 22 from 203.0.113.7/32",
            'in allow icmp from 0.0.0.0/0 priority 100 "System created rule."',  # 110: told
            "in allow all from group other-example.com/sg-bp1far",
            "in allow tcp 443 from ::/0",
            "in allow tcp 8080 from 10.0.0.0/8 to 10.0.1.11/32",
            "out deny all to 192.0.2.0/24",
        },
    ),
    (
        "huawei",
        "web",
        {
            "in allow tcp 80,443 from 0.0.0.0/0",
            "in deny tcp 22 from 0.0.0.0/0 priority 2",
            "in allow tcp 22 from office to 0.0.0.0/0",
            "in allow all from group web to ::/0",
            "out allow all to 0.0.0.0/0 disabled",
            "out allow tcp 3306 to 0.0.0.0/0",
        },
    ),
    (
        "openstack-api",
        "web",
        {
            "in allow tcp 80 from 0.0.0.0/0",
            "in allow icmp from 10.0.0.0/24",  # a type: told; host bits mean the block
            "in allow all from group web to ::/0",
            "out allow all to 0.0.0.0/0",
            "out allow all to ::/0",
            "in allow 132 from 0.0.0.0/0",  # ports of SCTP: told
            "in allow icmpv6 from ::/0",
        },
    ),
    ("openstack-api", "no-group", set()),
    ("openstack-api", "no-filter", {"in allow all from any", "out allow all to any"}),
    (
        "openstack-cli",
        "web",
        {
            "in allow tcp 22 from 0.0.0.0/0",
            "in allow icmp from 0.0.0.0/0",
            "out allow all to 0.0.0.0/0",
            "out allow all to ::/0",
        },
    ),
    (
        "terraform-aws",
        "web",
        {
            "in allow tcp 80 from 0.0.0.0/0",
            "in allow tcp 80 from ::/0",
            "in allow tcp 80 from group web",
            "in allow tcp 22 from 203.0.113.0/24",  # told by the group and by a resource: once
            "in allow tcp 443 from 0.0.0.0/0",
            "out allow all to 0.0.0.0/0",
            "out allow all to 10.0.0.0/8",
            *(f"in allow tcp {9000 + n} from 0.0.0.0/0" for n in range(MANY)),
        },
    ),
    (
        "terraform-alicloud",
        "web",
        {
            "in deny tcp 22 from 0.0.0.0/0",
            "in allow tcp 80 from 0.0.0.0/0",
            *(f"in allow tcp {9000 + n} from 10.0.0.0/8" for n in range(MANY)),
        },
    ),
    (
        "terraform-huawei",
        "web",
        {
            "out allow all to 0.0.0.0/0",
            "in allow tcp 22 from 0.0.0.0/0",
            "in deny tcp 80,443 from 0.0.0.0/0 priority 5",
            *(f"in allow tcp {9000 + n} from 0.0.0.0/0" for n in range(MANY)),
        },
    ),
    (
        "terraform-openstack",
        "web",
        {
            "out allow all to 0.0.0.0/0",
            "out allow all to ::/0",  # OpenStack makes both: told
            "in allow tcp 22 from group web to 0.0.0.0/0",
            *(f"in allow tcp {n + 1} from 0.0.0.0/0" for n in range(MANY)),
        },
    ),
]


@pytest.mark.parametrize(("name", "group", "wanted"), RULES, ids=[f"{name} {group}" for name, group, _ in RULES])
def test_rules_are_the_same_word_by_word(name: str, group: str, wanted: set[str]) -> None:
    assert rules(imported(ALL[name]), group) == wanted


FLOWS: list[tuple[str, str, bool]] = [
    ("aws", "web-1 -> db-1 tcp/3306", True),  # line 300 lets the answer in
    ("aws", "192.0.2.9 -> web-1 tcp/80", True),
    ("aws", "198.51.100.9 -> web-1 tcp/80", False),  # line 100 before line 200
    ("aws", "203.0.113.7 -> web-1 tcp/22", False),  # the group allows it, no line of the ACL does
    ("aws", "web-1 -> ELB-app-front-0123 tcp/80", False),  # a default group trusts its members only
    ("aws", "db-1 -> web-1 tcp/80", False),  # no outbound rule at all
    ("aws", "192.0.2.9 -> db-1 tcp/3306", False),
    ("alibaba", "192.0.2.9 -> web-1 tcp/80", True),
    ("alibaba", "192.0.2.9 -> web-1 tcp/22", False),
    ("alibaba", "203.0.113.7 -> web-1 tcp/22", True),
    ("alibaba", "web-1 -> i-bp1db tcp/3306", True),
    ("alibaba", "web-1 -> 192.0.2.1 tcp/443", False),
    ("alibaba", "web-1 -> 203.0.113.1 tcp/443", True),  # what leaves is allowed where no rule matches
    ("huawei", "203.0.113.7 -> vm-web tcp/22", True),
    ("huawei", "192.0.2.9 -> vm-web tcp/22", False),
    ("huawei", "192.0.2.9 -> vm-web tcp/443", True),
    ("huawei", "vm-web -> vm-db tcp/3306", True),
    ("huawei", "vm-web -> 192.0.2.1 tcp/443", False),  # its rule is disabled
    ("openstack-api", "vm1 -> vm2 tcp/5432", True),
    ("openstack-api", "vm1 -> vm2 tcp/5434", False),
    ("openstack-api", "192.0.2.9 -> vm3 tcp/9999", True),  # no port security
    ("openstack-api", "vm3 -> vm4 tcp/22", False),  # no group
    ("openstack-api", "vm2 -> vm1 tcp/80", False),  # no outbound rule
    ("terraform-aws", "web-1 -> 192.0.2.1 tcp/443", True),
    ("terraform-huawei", "192.0.2.9 -> web-1 tcp/80", False),
    ("terraform-openstack", "web-1 -> 192.0.2.1 udp/53", True),
]


@pytest.mark.parametrize(("name", "flow", "allowed"), FLOWS, ids=[f"{name}: {flow}" for name, flow, _ in FLOWS])
def test_flows_are_judged_as_the_cloud_would(name: str, flow: str, allowed: bool) -> None:
    assert passes(imported(ALL[name]), flow) is allowed


def test_a_widened_rule_and_a_dropped_one_are_told() -> None:
    made = imported(ALL["aws"])
    changed, left = notes(made, Outcome.CHANGED), notes(made, Outcome.LEFT_OUT)
    assert [note.where for note in changed] == ["SecurityGroups[0].IpPermissions[2].IpRanges[0]"]
    assert "type 8" in changed[0].why
    assert {note.where for note in left} == {"NetworkAcls[0].Entries[3]", "NetworkInterfaces[2]"}
    lines = made.world.acls["acl-0a"].rules_of(Direction.INGRESS)
    assert [(line.name, line.key) for line in lines] == [
        ("line 100", "in deny all from 198.51.100.0/24 to any"),
        ("line 200", "in allow tcp 80 from 0.0.0.0/0 to any"),
        ("line 300", "in allow tcp 1024-65535 from 10.0.0.0/16 to any"),
        ("line 320", "in allow icmp from 10.0.0.0/16 to any"),
    ]


def test_entries_make_an_unknown_prefix_list_match() -> None:
    known = {"PrefixLists": [{"PrefixListId": "pl-0a", "PrefixListName": "com.s3", "Cidrs": ["192.0.2.0/25"]}]}
    made = imported({**ALL["aws"], "lists.json": known})
    assert "in allow tcp 22 from com.s3" in rules(made, "web")
    assert [str(entry) for entry in made.world.address_groups["com.s3"].entries] == ["192.0.2.0/25"]


def test_the_rules_by_themselves_and_in_their_groups_are_one() -> None:
    """What ``describe-security-group-rules`` tells of a group that was told."""
    rule = {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-0db", "GroupOwnerId": "1", "IsEgress": False}
    rule |= {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "ReferencedGroupInfo": {"GroupId": "sg-0web"}}
    made = imported({**ALL["aws"], "rules.json": {"SecurityGroupRules": [rule]}})
    assert rules(made, "db") == rules(imported(ALL["aws"]), "db")
    assert any(note.source == "rules.json" for note in notes(made, Outcome.MERGED))


def test_without_places_they_are_made_up_and_told() -> None:
    only = {name: ALL["aws"][name] for name in ("security-groups.json", "instances.json")}
    made = imported(only)
    assert passes(made, "web-1 -> db-1 tcp/3306")
    assert str(made.world.vpcs["vpc-0a"].subnets["subnet-0b"].cidr) == "10.0.2.0/24"
    assert {"VPC vpc-0a", "subnet subnet-0a", "subnet subnet-0b"} <= {
        each.what for each in notes(made, Outcome.MADE_UP)
    }


def test_lines_that_are_resources_take_their_places() -> None:
    line = {"network_acl_id": "acl-1", "protocol": "-1", "rule_action": "allow", "cidr_block": "0.0.0.0/0"}
    inner = {
        "action": "deny",
        "protocol": "6",
        "from_port": 22,
        "to_port": 22,
        "cidr_block": "10.0.0.0/8",
        "rule_no": 150,
    }
    acl = {"id": "acl-1", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1"], "ingress": [inner], "egress": []}
    more = [
        ("aws_network_acl_rule", {**line, "rule_number": 200, "egress": False}),
        ("aws_network_acl_rule", {**line, "rule_number": 100, "egress": False, "cidr_block": "10.0.0.0/9"}),
        ("aws_network_acl_rule", {**line, "rule_number": 100, "egress": True}),
        ("aws_network_acl_rule", {**line, "rule_number": 1, "network_acl_id": "acl-2"}),
    ]
    made = imported({"state.json": shapes.state(*shapes.terraform_aws_resources(), ("aws_network_acl", acl), *more)})
    assert [line.key for line in made.world.acls["acl-1"].rules_of(Direction.INGRESS)] == [
        "in allow all from 10.0.0.0/9 to any",
        "in deny tcp 22 from 10.0.0.0/8 to any",
        "in allow all from 0.0.0.0/0 to any",
    ]
    assert made.world.vpcs["shop"].subnets["subnet-1"].acl == "acl-1"
    assert "line 1 of acl-2" in {note.what for note in notes(made, Outcome.LEFT_OUT)}


def test_the_classic_network_is_a_vpc_of_its_kind() -> None:
    permission = shapes.permission("ingress", "TCP", "80/80", SourceCidrIp="0.0.0.0/0", NicType="internet")
    made = imported({"a.json": shapes.attribute("sg-bp1old", permission, vpc="")})
    assert rules(made, "old") == {"in allow tcp 80 from 0.0.0.0/0 nic internet"}
    assert made.world.vpcs["classic"].network == "classic"


def test_a_large_configuration_raises_limits_and_keeps_every_rule() -> None:
    many = [shapes.huawei_rule(f"r{n}", "g-web", protocol="tcp", multiport=f"{n + 1}") for n in range(300)]
    made = imported({"rules.json": {"security_group_rules": many}})
    assert len(made.world.groups["g-web"].rules) == 300
    assert any(text.startswith("rules_per_group: 400:") for text in made.report.assumptions)


def test_machines_whose_interfaces_were_made_the_same_stay_apart() -> None:
    """As in public data from which somebody took the ids."""
    files = copy.deepcopy(ALL["aws"])
    for reservation in files["instances.json"]["Reservations"]:
        for instance in reservation["Instances"]:
            instance["NetworkInterfaces"][0]["NetworkInterfaceId"] = "eni-00000000"
    made = imported({name: files[name] for name in ("security-groups.json", "instances.json")})
    assert {"web-1", "db-1"} <= made.world.instances.keys()


def test_a_subnet_that_no_prefix_can_be_made_for_is_left_out() -> None:
    files = copy.deepcopy(ALL["aws"])
    files["instances.json"]["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0] |= {
        "PrivateIpAddress": "10.0.0.1",  # a gateway's
        "PrivateIpAddresses": [],
    }
    made = imported({name: files[name] for name in ("security-groups.json", "instances.json")})
    assert "db-1" in made.world.instances
    assert "web-1" not in made.world.instances
    assert {"subnet subnet-0a", "interface eni-0w of i-0web"} <= {note.what for note in notes(made, Outcome.LEFT_OUT)}
