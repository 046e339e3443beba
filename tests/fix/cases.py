"""Broken worlds, one for each reason for which rules do not work, and the fix that each deserves."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A world file, a question, and what the answer says: the best fix, others of its size, or what helps instead."""

    name: str
    world: str
    question: str
    fix: tuple[str, ...]
    others: int = 0
    instead: str = ""


def two_tiers(web: str = "", db: str = "", rest: str = "", edge: str = "", profile: str = "huawei") -> str:
    """A web server and a database in one VPC, and somebody outside; groups sg-web and sg-db have these rules."""
    return f"""
profile: {profile}
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      front: 10.0.1.0/24
      back: {{cidr: 10.0.2.0/24{edge}}}
groups:
  sg-web: {{vpc: shop, intra_group: drop, rules: [{web}]}}
  sg-db: {{vpc: shop, intra_group: drop, rules: [{db}]}}
instances:
  web-1: {{subnet: front, ip: 10.0.1.11, groups: [sg-web], serve: [tcp/80]}}
  web-2: {{subnet: front, ip: 10.0.1.12, groups: [sg-web]}}
  db-1: {{subnet: back, ip: 10.0.2.11, groups: [sg-db], serve: [tcp/3306, tcp/445]}}
outside: {{laptop: 203.0.113.9, phone: 203.0.113.66}}
{rest}"""


OUT = "out allow all to any"
MYSQL = "web-1 db-1 tcp/3306"
ALLOWED = "in allow tcp 3306 from group sg-web"


def two_vpcs(other: str = "10.9.0.0/16", rest: str = "") -> str:
    """The same group in two VPCs."""
    at = other.replace("0.0/16", "1.")
    return f"""
vpcs:
  one: {{cidrs: [10.1.0.0/16], subnets: {{a: 10.1.1.0/24}}}}
  two: {{cidrs: [{other}], subnets: {{b: {at}0/24}}}}
groups:
  sg-all: {{rules: [in allow all from group sg-all, {OUT}]}}
instances:
  a-1: {{subnet: one/a, ip: 10.1.1.11, groups: [sg-all]}}
  b-1: {{subnet: two/b, ip: {at}12, groups: [sg-all]}}
{rest}"""


ACL = "acls: {edge: {vpc: shop, rules: ["
CASES = (
    # --- "Incorrect Security Group Rule Configurations"
    Case(
        "wrong direction",
        two_tiers(OUT, f"out allow tcp 3306 to group sg-web, {OUT}"),
        MYSQL,
        ("add to group sg-db the rule: in allow tcp 3306 from group sg-web priority 100",),
    ),
    Case(
        "wrong protocol",
        two_tiers(OUT, "in allow udp 3306 from group sg-web"),
        MYSQL,
        ("add to group sg-db the rule: in allow tcp 3306 from group sg-web priority 100",),
    ),
    Case(
        "a port that is not covered, from outside",
        two_tiers("in allow tcp 443 from any"),
        "laptop web-1 tcp/80",
        ("add to group sg-web the rule: in allow tcp 80 from 203.0.113.9/32 priority 100",),
    ),
    Case(
        "a port that carriers block",
        two_tiers("in allow all from any"),
        "laptop web-1 tcp/445",
        (),
        instead="serve it on another port",
    ),
    Case("mail", two_tiers(OUT), "web-1 laptop tcp/25", (), instead="use tcp/465 or tcp/587"),
    Case(
        "the source is no member of the group that the rule names",
        two_tiers(OUT, "in allow tcp 3306 from group sg-app", rest="").replace(
            "  sg-db:", "  sg-app: {vpc: shop, intra_group: drop, rules: []}\n  sg-db:"
        ),
        MYSQL,
        ("let web-1.eth0 join group sg-app",),
        1,
    ),
    Case(
        "the source is missing in the list of addresses that the rule names",
        two_tiers(OUT, "in allow tcp 3306 from trusted", "address_groups: {trusted: [10.0.1.12]}"),
        MYSQL,
        ("add 10.0.1.11 to address group trusted",),
        1,
    ),
    Case(
        "a rule that looks right but loses",
        two_tiers(OUT, "in allow tcp 3306 from group sg-web priority 20, in deny all from any priority 10"),
        MYSQL,
        ("give priority 9 to the rule of group sg-db: in allow tcp 3306 from group sg-web priority 20",),
        3,
    ),
    Case(
        "a disabled rule",
        two_tiers(OUT, "in allow tcp 3306 from group sg-web priority 5 disabled"),
        MYSQL,
        ("enable in group sg-db the rule: in allow tcp 3306 from group sg-web priority 5",),
        1,
    ),
    Case(
        "both sides are closed",
        two_tiers(),
        MYSQL,
        (
            "add to group sg-web the rule: out allow tcp 3306 to group sg-db priority 100",
            "add to group sg-db the rule: in allow tcp 3306 from group sg-web priority 100",
        ),
    ),
    Case(
        "both sides are closed, and the sender is in two groups",
        two_tiers()
        .replace("groups: [sg-web], serve", "groups: [sg-web, sg-few], serve")
        .replace("  sg-db:", "  sg-few: {vpc: shop, intra_group: drop, rules: []}\n  sg-db:"),
        MYSQL,
        (
            "add to group sg-few the rule: out allow tcp 3306 to group sg-db priority 100",
            "add to group sg-db the rule: in allow tcp 3306 from group sg-few priority 100",
        ),
        3,
    ),
    Case(
        "a denying rule of the strongest priority that is about a list",
        two_tiers(
            OUT, "in deny all from banned, in allow tcp 3306 from 10.0.1.0/24", "address_groups: {banned: [10.0.1.11]}"
        ),
        MYSQL,
        ("remove 10.0.1.11 from address group banned",),
        2,
    ),
    Case(
        "members that are isolated from each other",
        two_tiers(profile="alibaba"),
        "web-1 web-2 tcp/80",
        ("add to group sg-web the rule: in allow tcp 80 from 10.0.1.11/32 priority 100",),
        1,
    ),
    # --- "Conflicts Between Network ACL Rules and Security Group Rules"
    Case(
        "the ACL denies what the group allows",
        two_tiers(
            OUT, ALLOWED, f'{ACL}"in deny tcp 3306 from any to any", "in allow all from any to any"]}}}}', ", acl: edge"
        ),
        MYSQL,
        ("add to ACL edge, before line 1: in allow tcp 3306 from 10.0.1.11/32 to 10.0.2.11/32",),
        1,
    ),
    Case(
        "the ACL denies by default",
        two_tiers(OUT, ALLOWED, f"{ACL}]}}}}", ", acl: edge"),
        MYSQL,
        ("add to ACL edge, as the last line: in allow tcp 3306 from 10.0.1.11/32 to 10.0.2.11/32",),
    ),
    Case(
        "a disabled line",
        two_tiers(OUT, ALLOWED, f'{ACL}"in allow tcp 3306 from any to any disabled"]}}}}', ", acl: edge"),
        MYSQL,
        ("add to ACL edge, as the last line: in allow tcp 3306 from 10.0.1.11/32 to 10.0.2.11/32",),
        1,
    ),
    Case(
        "a disabled ACL",
        two_tiers(
            OUT,
            ALLOWED,
            'acls: {edge: {vpc: shop, enabled: false, rules: ["in allow all from any to any"]}}',
            ", acl: edge",
        ),
        MYSQL,
        ("enable ACL edge",),
    ),
    Case(
        "a stateless ACL drops the answer",
        two_tiers("", ALLOWED, f'{ACL}"in allow tcp 3306 from any to any"]}}}}', ", acl: edge", "alibaba"),
        MYSQL,
        ("add to ACL edge, as the last line: out allow tcp 32768-60999 from 10.0.2.11/32 port 3306 to 10.0.1.11/32",),
    ),
    Case(
        "the firewall at the border",
        two_tiers("in allow tcp 80 from any").replace(
            "  shop:\n", '  shop:\n    border: ["in deny tcp from any to any"]\n'
        ),
        "laptop web-1 tcp/80",
        ("add to the border of VPC shop, before line 1: in allow tcp 80 from 203.0.113.9/32 to 10.0.1.11/32",),
        1,
    ),
    # --- "Network Disconnections"
    Case("two VPCs without a peering", two_vpcs(), "a-1 b-1 tcp/22", ("peer VPC one with VPC two, as one-two",)),
    Case(
        "two VPCs that overlap cannot be peered",
        two_vpcs("10.1.0.0/16"),
        "a-1 b-1 tcp/22",
        (),
        instead="choose other prefixes",
    ),
    Case(
        "the firewall on the peering",
        two_vpcs(rest='peerings: [{name: way, vpcs: [one, two], firewall: ["deny tcp 22 from any to any"]}]'),
        "a-1 b-1 tcp/22",
        ("add to peering way, before line 1: allow tcp 22 from 10.1.1.11/32 to 10.9.1.12/32",),
        1,
    ),
    Case("an address of nobody", two_tiers(OUT), "web-1 10.0.2.99 tcp/80", (), instead="give the address to a port"),
    Case("a penalty", two_tiers(OUT, ALLOWED, "blocks: {db-1: mining}"), MYSQL, ("lift the penalty of db-1",)),
)
