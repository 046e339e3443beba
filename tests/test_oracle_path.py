"""The oracle's path between two ports against worlds worked by hand: everything beside the groups' own rules.

As in test_oracle.py the lines are the specification in small, for the oracle and the evaluator alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ringfence.model.flow import Flow
from ringfence.model.profile import ALIBABA, HUAWEI
from ringfence.model.service import ServiceSet
from ringfence.model.world import World
from tests import oracle
from tests.oracle_case import OUT, Case, acl, by_evaluator, by_oracle, fate, group, lines_of, says

OPEN = {"open": group("in allow all from any", OUT)}
FOUR = (
    "a 10.0.0.11 fd00::11 : open",
    "b 10.0.0.12 fd00::12 : open",
    "x 10.0.16.11 fd00:0:0:1::11 : open",
    "y 10.0.16.12 fd00:0:0:1::12 : open",
)
ACROSS = ("a 10.0.0.11 fd00::11 : open", "other/o 10.1.0.11 fd00:1::11 : open")

CASES = (
    Case(
        "rules of a stateful ACL",
        "4.1: a list a direction, first match wins, then deny; tuples of both sides; section 0 row 8: stateful",
        HUAWEI,
        OPEN,
        FOUR,
        (
            "a -> x tcp/80 allow",
            "b -> x tcp/80 deny",
            "b -> x tcp/80 over ipv6 allow",
            "b -> x tcp/81 allow",
            "laptop -> x tcp/90 allow",
            "a -> x tcp/79 deny",
            "a -> x tcp/91 deny",
            "a -> x udp/80 deny",
            # The rule names the destination; it does not stand for the whole subnet.
            "a -> x tcp/443 allow",
            "a -> y tcp/443 deny",
            "a -> x tcp/443 over ipv6 deny",
            "a -> x tcp/443 from port 1023 deny",
            "a -> x tcp/443 from port 1024 allow",
            "a -> x tcp/443 from port 65535 allow",
            # An unnamed source port is any ephemeral one, and one of them is not enough.
            "a -> x tcp/444 deny",
            "a -> x tcp/444 from port 40000 allow",
            "a -> x tcp/444 from port 40001 deny",
            # What is disabled is not there; what stands behind decides.
            "a -> x udp/53 deny",
            "b -> x udp/53 allow",
            "b -> y udp/53 allow",
            "b -> x udp/53 over ipv6 deny",
            "a -> x icmp allow",
            "a -> x icmp over ipv6 deny",
            "a -> x gre over ipv6 allow",
            "a -> x gre deny",
            # The other direction has its own list, and answers need no rule.
            "x -> a tcp/22 allow",
            "x -> laptop tcp/22 allow",
            "y -> a tcp/22 deny",
            "x -> a tcp/80 deny",
            "x -> a icmp deny",
            # Nothing inside one subnet, nothing between others.
            "x -> y tcp/9999 allow",
            "y -> x icmp over ipv6 allow",
            "a -> b tcp/9999 allow",
        ),
        lists=("names 10.0.0.12-10.0.0.15",),
        acls={
            "edge": acl(
                "in deny tcp 80 from 10.0.0.12/32 to any",
                "in allow tcp 80-90 from any to any",
                "in deny tcp 80-95 from any to any",
                "in allow tcp 443 from any port 1024-65535 to 10.0.16.11/32",
                "in allow tcp 444 from any port 40000 to any",
                "in deny udp 53 from any to any disabled",
                "in allow udp 53 from names to any",
                "in allow icmp from any to any",
                "in allow gre from ::/0 to any",
                "out allow tcp 22 from 10.0.16.11/32 to any",
            )
        },
        edges={"main/far": "edge"},
    ),
    Case(
        "an ACL and groups must both allow",
        "4.1: if the ACL denies, an allowing group is useless; both must allow",
        HUAWEI,
        {**OPEN, "web": group("in allow tcp 80-81 from any", "out allow tcp 80-81 to any")},
        ("a 10.0.0.11 : open", "w 10.0.16.11 : web"),
        (
            "a -> w tcp/80 allow",
            "a -> w tcp/81 deny",
            "a -> w tcp/82 deny",
            "w -> a tcp/80 deny",
            "w -> a tcp/81 allow",
            "w -> a tcp/82 deny",
            "laptop -> w tcp/80 allow",
            "laptop -> w tcp/81 deny",
        ),
        acls={
            "edge": acl(
                "in allow tcp 80 from any to any",
                "in allow tcp 82 from any to any",
                "out allow tcp 81 from any to any",
                "out allow tcp 82 from any to any",
            )
        },
        edges={"main/far": "edge"},
    ),
    Case(
        "both subnets have an ACL",
        "4.4: ACL egress at the source's subnet, ACL ingress at the destination's; one ACL may guard many subnets",
        HUAWEI,
        OPEN,
        (*FOUR, "other/o 10.1.0.11 : open"),
        (
            "a -> x tcp/80 allow",
            "a -> x tcp/81 deny",
            "a -> x tcp/82 deny",
            "x -> a tcp/80 deny",
            "x -> a tcp/443 deny",
            "laptop -> a tcp/80 deny",
            "laptop -> x tcp/80 allow",
            "a -> laptop tcp/81 allow",
            # Two subnets with the same ACL are still two.
            "laptop -> o tcp/82 allow",
            "x -> o tcp/82 deny",
        ),
        acls={
            "near": acl("out allow tcp 80-81 from any to any", "in allow tcp 443 from any to any"),
            "far": acl("in allow tcp 80 from any to any", "in allow tcp 82 from any to any"),
        },
        edges={"main/net": "near", "main/far": "far", "other/net": "far"},
        firewall=(),
    ),
    Case(
        "fixed rules, and an ACL that is disabled",
        "4.1: disabled, its rules are void, the default rules still apply; they stand before every other rule",
        HUAWEI,
        OPEN,
        (*FOUR, "other/o 10.1.0.11 : open"),
        (
            "a -> x tcp/80 deny",
            "x -> a tcp/80 deny",
            "x -> laptop icmp deny",
            "x -> y icmp allow",
            "x -> service udp/53 allow",
            "service -> x udp/53 deny",
            "x -> metadata tcp/80 allow",
            "x -> metadata tcp/81 deny",
            "x -> metadata udp/80 deny",
            "o -> service udp/53 allow",
            "o -> laptop udp/53 deny",
            "laptop -> o udp/53 allow",
        ),
        outside=("laptop 203.0.113.9", "service 100.125.1.250", "metadata 169.254.169.254"),
        acls={
            "off": acl("in allow all from any to any", "out allow all from any to any", enabled=False),
            "shut": acl("out deny all from any to any", "in allow all from any to any"),
        },
        edges={"main/far": "off", "other/net": "shut"},
    ),
    Case(
        "a stateless ACL judges the answer as well",
        "4.2: stateless, a reply needs its own rule, by the port that the flow came from; default deny both ways",
        ALIBABA,
        OPEN,
        FOUR,
        (
            "a -> x tcp/80 allow",
            "a -> x tcp/80 from port 32768 allow",
            "a -> x tcp/80 from port 60999 allow",
            "a -> x tcp/80 from port 61000 unanswered",
            "a -> x tcp/80 from port 1024 unanswered",
            "a -> x tcp/81 deny",
            "a -> x tcp/80 over ipv6 unanswered",
            # The answer is for b, whom only one port may be sent to.
            "b -> x tcp/80 unanswered",
            "b -> x tcp/80 from port 50000 allow",
            "laptop -> x tcp/80 unanswered",
            "laptop -> x udp/53 allow",
            "laptop -> x udp/53 from port 1024 allow",
            # Neither rule has all ephemeral ports, and the one who asks could have any.
            "b -> x udp/54 unanswered",
            "b -> x udp/54 from port 50000 allow",
            "b -> x udp/54 from port 50001 allow",
            # From x outwards its own list out comes first, then the list in judges the answer.
            "x -> a tcp/40000 unanswered",
            "x -> a tcp/40000 from port 81 unanswered",
            "x -> a tcp/40000 from port 80 allow",
            "x -> b udp/40000 from port 123 allow",
            "x -> b udp/40000 allow",
            "x -> b udp/40001 unanswered",
            "x -> a tcp/22 deny",
            # No ports: request and reply need a rule each.
            "a -> x icmp allow",
            "x -> a icmp allow",
            "x -> b icmp unanswered",
            "y -> a icmp deny",
            "b -> x icmp deny",
            "a -> x icmp over ipv6 unanswered",
            "a -> x gre deny",
            # Not inside one vSwitch, and not where there is none.
            "x -> y tcp/9999 allow",
            "a -> b tcp/9999 from port 1 allow",
            "a -> b icmp over ipv6 allow",
        ),
        acls={
            "edge": acl(
                "in allow tcp 80 from any to any",
                "in allow udp 53-54 from any to any",
                "in allow udp from any port 40000 to any",
                "in allow icmp from 10.0.0.11/32 to 10.0.16.11/32",
                "in allow icmpv6 from any to any",
                "out allow tcp 32768-60999 from any to 10.0.0.11/32",
                "out allow tcp 50000 from any to 10.0.0.12/32",
                "out allow udp 1024-65535 from any to 203.0.113.0/24",
                "out allow udp 1024-50000 from any to any",
                "out allow udp 50001-65535 from any to any",
                "out allow icmp from 10.0.16.11/32 to 10.0.0.8/29",
                "out deny icmpv6 from any to any",
            )
        },
        edges={"main/far": "edge"},
    ),
    Case(
        "ports that a rule lists in pieces",
        "4.2: an unnamed port is any ephemeral one; a list means it if together its pieces have them all",
        ALIBABA,
        OPEN,
        ("a 10.0.0.11 : open", "x 10.0.16.11 : open"),
        (
            "a -> x tcp/1 allow",
            "a -> x tcp/2 deny",
            "a -> x tcp/2 from port 50001 deny",
            "a -> x tcp/2 from port 50000 allow",
            "a -> x tcp/3 unanswered",
            "a -> x tcp/3 from port 50001 unanswered",
            "a -> x tcp/3 from port 50002 allow",
        ),
        acls={
            "edge": acl(
                "in allow tcp 1 from any port 1024-50000,50001-65535 to any",
                "in allow tcp 2 from any port 1024-50000,50002-65535 to any",
                "in allow tcp 3 from any to any",
                "out allow tcp 32768-50000,50001-60999 from any port 1 to any",
                "out allow tcp 32768-50000,50002-60999 from any to any",
            )
        },
        edges={"main/far": "edge"},
    ),
    Case(
        "both ends have a stateless ACL",
        "4.2: the first packet and the answer pass both, out at one end and in at the other",
        ALIBABA,
        OPEN,
        FOUR,
        (
            "a -> x tcp/80 allow",
            # Each of these lacks one of the four rules.
            "a -> x tcp/81 deny",
            "a -> x tcp/82 deny",
            "a -> x tcp/83 unanswered",
            "a -> x tcp/84 unanswered",
            "a -> laptop tcp/81 allow",
            "laptop -> x tcp/82 allow",
            "laptop -> x tcp/83 unanswered",
            "a -> b tcp/1 allow",
        ),
        acls={
            "near": acl(
                "out allow tcp 80-81 from any to any",
                "out allow tcp 83-84 from any to any",
                "in deny tcp from any port 84 to any",
                "in allow tcp 32768-60999 from any to any",
            ),
            "far": acl(
                "in allow tcp 80 from any to any",
                "in allow tcp 82-84 from any to any",
                "out deny tcp 1-65535 from any port 83 to any",
                "out allow tcp 32768-60999 from any to any",
            ),
        },
        edges={"main/net": "near", "main/far": "far"},
    ),
    Case(
        "the fixed rules of a stateless ACL",
        "4.2: cloud services on top (DNS and metadata), both ways, whatever the custom rules say or are",
        ALIBABA,
        OPEN,
        ("a 10.0.0.11 : open", "x 10.0.16.11 : open"),
        (
            "x -> dns udp/53 allow",
            "dns -> x udp/53 allow",
            "x -> metadata tcp/80 allow",
            "x -> other-service tcp/80 deny",
            "a -> metadata tcp/80 allow",
            "a -> other-service tcp/80 deny",
            "a -> x tcp/80 deny",
        ),
        outside=("dns 100.100.2.136", "metadata 100.100.100.200", "other-service 100.100.2.137"),
        acls={
            "off": acl("in allow all from any to any", "out allow all from any to any", enabled=False),
            "shut": acl("in deny all from any to any", "out deny all from any to any"),
        },
        edges={"main/far": "off", "main/net": "shut"},
    ),
    Case(
        "groups across a peering, huawei",
        "section 5: after peering the groups control the traffic, and a group is meant wherever its members are",
        HUAWEI,
        {
            "g": group("in allow tcp 80 from group g", "in allow tcp 81 from 10.0.0.0/16", OUT),
            "h": group("in allow all from group h", OUT),
        },
        ("a 10.0.0.11 fd00::11 : g", "b 10.0.0.12 : h", "other/o 10.1.0.11 fd00:1::11 : g"),
        (
            "a -> o tcp/80 allow",
            "a -> o tcp/80 over ipv6 allow",
            "o -> a tcp/80 allow",
            "b -> o tcp/80 deny",
            "b -> o tcp/81 allow",
            "o -> a tcp/81 deny",
            "o -> b tcp/80 deny",
            "a -> 10.1.0.99 tcp/80 deny",
            "a -> laptop tcp/80 allow",
        ),
        firewall=(),
    ),
    Case(
        "groups across a peering, alibaba",
        "section 5: references are not supported for instances in different VPCs; nor is intra-group accept (2.2)",
        ALIBABA,
        {
            "g": group("in allow tcp 80 from group h", "in allow tcp 81 from 10.0.0.0/8", drop=False),
            "h": group(),
        },
        ("a 10.0.0.11 : g", "b 10.0.0.12 : h", "other/o 10.1.0.11 : g", "other/p 10.1.0.12 : h"),
        (
            "b -> a tcp/80 allow",
            "p -> o tcp/80 allow",
            "p -> a tcp/80 deny",
            "b -> o tcp/80 deny",
            "b -> o tcp/81 allow",
            "a -> o tcp/80 deny",
            "a -> o tcp/81 allow",
        ),
        firewall=(),
    ),
    Case(
        "the firewall on a peering",
        "4.3: ordered policies, default allow; its sides are the packet's, and it keeps state",
        HUAWEI,
        OPEN,
        (*ACROSS, "other/p 10.1.0.12 fd00:1::12 : open", "b 10.0.0.12 : open"),
        (
            "a -> o tcp/80 allow",
            "a -> p tcp/80 deny",
            "a -> p tcp/81 allow",
            "a -> o tcp/22 deny",
            "a -> o tcp/22 over ipv6 allow",
            # Answers go from 10.1 to 10.0 too, but only first packets are judged.
            "o -> a tcp/80 deny",
            "o -> a tcp/80 over ipv6 allow",
            "p -> a tcp/80 deny",
            "p -> a udp/53 allow",
            "p -> a udp/53 from port 1023 deny",
            "p -> a udp/54 allow",
            "o -> p tcp/22 allow",
            "a -> b tcp/22 allow",
            "a -> laptop tcp/22 allow",
            "laptop -> o tcp/22 allow",
            "a -> 10.1.0.99 tcp/80 deny",
        ),
        lists=("clerks 10.0.0.0/28",),
        firewall=(
            "deny tcp 23 from any to any disabled",
            "allow udp 53 from any port 1024-65535 to any",
            "allow udp 54 from any to any",
            "allow tcp 80 from clerks to 10.1.0.11/32",
            "deny tcp 22 from 10.0.0.0/16 to 10.1.0.0/16",
            "deny tcp 80 from 0.0.0.0/0 to any",
            "deny udp from any to any",
        ),
    ),
    Case(
        "the internet border",
        "4.3: ordered policies a direction, default allow; 4.4: before the ACL of what comes in",
        HUAWEI,
        OPEN,
        (*ACROSS, "b 10.0.0.12 : open"),
        (
            "laptop -> a tcp/22 allow",
            "visitor -> a tcp/22 deny",
            "laptop -> b tcp/22 deny",
            "laptop -> a tcp/22 over ipv6 deny",
            "laptop -> a tcp/80 allow",
            "laptop -> a tcp/80 from port 1023 deny",
            "a -> laptop tcp/22 allow",
            "a -> laptop tcp/443 deny",
            "a -> laptop tcp/443 over ipv6 allow",
            "a -> visitor tcp/443 allow",
            "a -> b tcp/443 allow",
            "a -> o tcp/443 allow",
            "o -> a tcp/22 allow",
            # The border is that of one VPC.
            "visitor -> o tcp/22 allow",
            "o -> laptop tcp/443 allow",
        ),
        outside=("laptop 203.0.113.9 2001:db8::9", "visitor 198.51.100.9"),
        firewall=(),
        border=(
            "in allow tcp 22 from 203.0.113.9/32 to 10.0.0.11/32",
            "out allow tcp 443 from any to 198.51.100.0/24",
            "in deny tcp 22 from any to any",
            "in deny tcp 80 from any port 1-1023 to any",
            "out deny tcp 443 from 10.0.0.0/16 to any",
            "out deny tcp 22 from any to any disabled",
        ),
    ),
    Case(
        "ports in namespaces of the guest",
        "section 5, Security FAQ: ports in separate network namespaces of an instance have traffic that leaves it",
        HUAWEI,
        {"shut": group(), "web": group("in allow tcp 80 from any", "out allow tcp 80 to any")},
        (
            "a.eth0 10.0.0.11 fd00::11 : shut",
            "a.eth1@inner 10.0.0.12 fd00::12 : web",
            "a.eth2@inner 10.0.0.13 : shut",
            "a.eth3@else 10.0.0.14 fd00::14 : web",
            "b.eth0@inner 10.0.0.15 : web",
        ),
        (
            "a.eth1 -> a.eth2 tcp/22 allow",
            "a.eth2 -> a.eth1 tcp/22 allow",
            "a.eth0 -> a.eth1 tcp/80 deny",
            "a.eth1 -> a.eth0 tcp/80 deny",
            "a.eth1 -> a.eth3 tcp/80 allow",
            "a.eth1 -> a.eth3 tcp/80 over ipv6 allow",
            "a.eth1 -> a.eth3 tcp/81 deny",
            # A namespace is known by its guest.
            "b -> a.eth1 tcp/80 allow",
            "b -> a.eth1 tcp/81 deny",
            "b -> a.eth2 tcp/80 deny",
        ),
    ),
    Case(
        "a virtual IP is no member",
        "section 5, Configuration Examples: a reference to the group behind a virtual IP does not match its traffic",
        HUAWEI,
        {
            "lb": group("in allow tcp 80 from any", OUT),
            "by-group": group("in allow all from group lb", "out allow all to group lb"),
            "by-prefix": group("in allow tcp 80 from 10.0.0.50/32", "out allow tcp to 10.0.0.50/32"),
            "by-list": group("in allow tcp from vips", "out allow tcp to vips"),
        },
        (
            "one 10.0.0.11 fd00::11 : lb",
            "two 10.0.0.12 fd00::12 : lb by-group",
            "g 10.0.0.21 fd00::21 : by-group",
            "p 10.0.0.22 fd00::22 : by-prefix",
            "l 10.0.16.23 fd00:0:0:1::23 : by-list",
        ),
        (
            "one -> g tcp/80 allow",
            "vip -> g tcp/80 deny",
            "vip -> g tcp/80 over ipv6 deny",
            "g -> one tcp/80 allow",
            "g -> vip tcp/80 deny",
            "vip -> p tcp/80 allow",
            "one -> p tcp/80 deny",
            "p -> vip tcp/80 allow",
            "p -> vip tcp/80 over ipv6 deny",
            "l -> vip tcp/80 allow",
            "vip -> l tcp/443 allow",
            "vip -> l tcp/443 over ipv6 deny",
            # The active port's groups judge its packets, those of the one that waits do not.
            "laptop -> vip tcp/80 allow",
            "laptop -> vip tcp/80 over ipv6 allow",
            "laptop -> vip tcp/81 deny",
            "one -> two tcp/81 allow",
            "two -> vip tcp/80 allow",
            "two -> vip tcp/81 deny",
            "vip -> laptop udp/53 allow",
            # An end of the active guest is the guest itself.
            "one -> vip tcp/9999 allow",
            "vip -> one icmp over ipv6 allow",
        ),
        lists=("vips 10.0.0.50",),
        vips=("vip 10.0.0.50 fd00::50 : one two",),
    ),
    Case(
        "a virtual IP shares no group",
        "section 5: the address of a virtual IP is no member address, so 2.2's accept among members is not for it",
        ALIBABA,
        {"g": group("out deny all to 10.0.0.50/32", drop=False), "h": group("in allow tcp 80 from any")},
        ("one 10.0.0.11 : g", "two 10.0.0.12 : g", "three 10.0.0.13 : h"),
        (
            "two -> one tcp/22 allow",
            "two -> vip tcp/22 deny",
            "vip -> two tcp/22 deny",
            "three -> vip tcp/22 deny",
            "vip -> three tcp/80 allow",
            "vip -> laptop tcp/22 allow",
        ),
        vips=("vip 10.0.0.50 : one two",),
    ),
    Case(
        "who has a virtual IP sees members at the other end",
        "section 5: only the virtual address is no member; the judging port's own groups are as ever",
        ALIBABA,
        {
            "g": group("in deny all from any", "out deny all to any", drop=False),
            "caller": group("out allow all to 10.0.0.50/32", "in allow all from 10.0.0.50/32", OUT),
        },
        ("one 10.0.0.11 : g", "two 10.0.0.12 : g caller", "three 10.0.0.13 : caller"),
        (
            "three -> vip tcp/22 deny",
            "three -> one tcp/22 deny",
            "two -> one tcp/22 allow",
            # two may not send to the virtual IP: its deny stands first, and nothing is shared with that address.
            "two -> vip tcp/22 deny",
            "vip -> three tcp/22 deny",
            "vip -> two tcp/22 deny",
            "vip -> one tcp/22 allow",
        ),
        vips=("vip 10.0.0.50 : one two",),
    ),
    Case(
        "the classic network's four rule sets",
        "2.2, best practices: internet in and out, intranet in and out; nic_type internet unless it says so",
        ALIBABA,
        {
            "g": group(
                "in allow tcp 80 from any",
                "in allow tcp 443 from any nic internet",
                "in allow tcp 22 from any nic intranet",
                "in allow tcp 3306 from group peers",
                "in allow tcp 3307 from group peers nic intranet",
                "out deny tcp 81 to any",
                "out deny tcp 82 to any nic intranet",
            ),
            "peers": group(),
        },
        (
            "a.eth0 10.0.0.11 fd00::11 : g",
            "a.eth1 10.0.16.11 fd00:0:0:1::11 : g",
            "p.eth0 10.0.0.12 fd00::12 : peers",
            "p.eth1 10.0.16.12 : peers",
        ),
        (
            "laptop -> a.eth1 tcp/80 allow",
            "laptop -> a.eth1 tcp/443 allow",
            "laptop -> a.eth1 tcp/443 over ipv6 allow",
            "laptop -> a.eth1 tcp/22 deny",
            "p.eth0 -> a.eth0 tcp/80 deny",
            "p.eth0 -> a.eth0 tcp/443 deny",
            "p.eth0 -> a.eth0 tcp/22 allow",
            "p.eth0 -> a.eth0 tcp/3306 allow",
            "p.eth0 -> a.eth0 tcp/3307 over ipv6 allow",
            # A group is its members' intranet addresses, for rules of intranet interfaces.
            "p.eth1 -> a.eth0 tcp/3306 deny",
            "p.eth0 -> a.eth1 tcp/3306 deny",
            "p.eth1 -> a.eth1 tcp/80 allow",
            "a.eth1 -> laptop tcp/81 deny",
            "a.eth1 -> laptop tcp/82 allow",
            "a.eth0 -> laptop tcp/81 allow",
            "a.eth0 -> laptop tcp/82 deny",
        ),
        classic=True,
    ),
    Case(
        "accept among members of a classic group",
        "2.2: internal traffic only",
        ALIBABA,
        {"g": group("out deny all to any nic internet", "out deny all to any nic intranet", drop=False)},
        (
            "a.eth0 10.0.0.11 : g",
            "a.eth1 10.0.16.11 : g",
            "b.eth0 10.0.0.12 : g",
            "b.eth1 10.0.16.12 : g",
            "other/o 10.1.0.11 : g",
            "other/p 10.1.0.12 : g",
        ),
        (
            "a.eth0 -> b.eth0 tcp/22 allow",
            "a.eth1 -> b.eth1 tcp/22 deny",
            "a.eth0 -> b.eth1 tcp/22 deny",
            "a.eth1 -> b.eth0 tcp/22 deny",
            "a.eth0 -> a.eth1 tcp/22 allow",
            "o -> p tcp/22 allow",
        ),
        classic=True,
    ),
    Case(
        "a nic in a VPC",
        "1.2: groups of a VPC are always intranet",
        ALIBABA,
        {
            "g": group(
                "in allow tcp 80 from any nic internet",
                "in allow tcp 81 from any nic intranet",
                "in allow tcp 82 from any",
            )
        },
        ("a 10.0.0.11 : g",),
        ("laptop -> a tcp/80 deny", "laptop -> a tcp/81 allow", "laptop -> a tcp/82 allow"),
    ),
    Case(
        "five-tuple rules",
        "1.2: the port's own address and the packet's source port; unset, every address of the members",
        ALIBABA,
        {
            "g": group(
                "in allow tcp 80 from any to 10.0.0.11/32",
                "in allow tcp 81 from 203.0.113.0/24 port 1024-65535 to 10.0.0.0/30",
                "in allow tcp 82 from any port 1024-65535 to 10.0.0.11/32",
                "in allow tcp 83 from any port 2000 to 10.0.0.8/29",
                "in allow udp from 2001:db8::/32 to fd00::11/128",
                "in allow tcp 90 from any to 10.0.0.50/32",
                "out deny tcp 80 to any from 10.0.0.11/32",
                "out deny tcp 81 to any from any port 1-1023",
                "out deny icmp to 203.0.113.9/32 from 10.0.0.8/29",
                "out deny udp to any from 10.0.0.50/32",
            )
        },
        ("a 10.0.0.11 fd00::11 : g", "b 10.0.0.12 fd00::12 : g", "c 10.0.0.16 : g"),
        (
            "laptop -> a tcp/80 allow",
            "laptop -> b tcp/80 deny",
            "laptop -> a tcp/80 over ipv6 deny",
            "laptop -> a tcp/81 deny",
            "laptop -> a tcp/82 allow",
            "laptop -> a tcp/82 from port 1023 deny",
            "laptop -> a tcp/82 from port 1024 allow",
            "laptop -> b tcp/82 deny",
            "laptop -> b tcp/83 deny",
            "laptop -> b tcp/83 from port 2000 allow",
            "laptop -> c tcp/83 from port 2000 deny",
            "laptop -> a udp/53 over ipv6 allow",
            "laptop -> b udp/53 over ipv6 deny",
            "laptop -> a udp/53 deny",
            # Whoever has a virtual IP has its address on the own side.
            "laptop -> vip tcp/90 allow",
            "laptop -> b tcp/90 deny",
            "laptop -> vip tcp/80 deny",
            "a -> laptop tcp/80 deny",
            "b -> laptop tcp/80 allow",
            "a -> laptop tcp/80 over ipv6 allow",
            "a -> laptop tcp/81 allow",
            "a -> laptop tcp/81 from port 1023 deny",
            "a -> laptop tcp/81 from port 1024 allow",
            "a -> laptop icmp deny",
            "c -> laptop icmp allow",
            "a -> laptop icmp over ipv6 allow",
            "vip -> laptop udp/53 deny",
            "b -> laptop udp/53 allow",
        ),
        vips=("vip 10.0.0.50 : b a",),
    ),
    Case(
        "outbound mail and the carriers' ports",
        "4.5, 13.10: tcp/25 to anybody; what carriers block at the internet border, either way, and nowhere else",
        HUAWEI,
        OPEN,
        (*ACROSS, "a.eth1 10.0.0.21 : open", "b 10.0.0.12 fd00::12 : open"),
        (
            "a -> laptop tcp/25 deny",
            "a -> laptop tcp/25 over ipv6 deny",
            "a -> b tcp/25 deny",
            "a -> o tcp/25 deny",
            "laptop -> a tcp/25 allow",
            "a -> laptop udp/25 allow",
            "a -> laptop tcp/465 allow",
            "a -> laptop tcp/26 from port 25 allow",
            "a -> a.eth1 tcp/25 allow",
            "a -> laptop tcp/445 deny",
            "a -> laptop tcp/445 over ipv6 deny",
            "laptop -> a tcp/445 deny",
            "laptop -> a tcp/446 allow",
            "laptop -> a tcp/80 from port 445 allow",
            "a -> b tcp/445 allow",
            "a -> o tcp/445 allow",
            "laptop -> a udp/135 deny",
            "laptop -> a udp/134 allow",
            "laptop -> a tcp/42 deny",
            "laptop -> a udp/42 allow",
        ),
        firewall=(),
    ),
    Case(
        "platform ports are the profile's",
        "4.5: carriers may change the list; 13.10: the switch is a list",
        replace(HUAWEI, blocked_egress=ServiceSet.parse("udp/100-110"), carrier_blocks=ServiceSet()),
        OPEN,
        ("a 10.0.0.11 : open",),
        (
            "a -> laptop tcp/25 allow",
            "a -> laptop tcp/445 allow",
            "a -> laptop udp/99 allow",
            "a -> laptop udp/100 deny",
            "a -> laptop udp/110 deny",
            "a -> laptop udp/111 allow",
            "laptop -> a udp/100 allow",
        ),
    ),
    Case(
        "penalties",
        "4.5: an instance or one port of it is cut off, both ways, whatever rules say; not inside the guest",
        HUAWEI,
        OPEN,
        (
            *("bad 10.0.0.11 fd00::11 : open", "bad.eth1 10.0.0.12 : open", "bad.eth2@inner 10.0.0.13 : open"),
            *("half 10.0.0.21 : open", "half.eth1 10.0.0.22 fd00::22 : open", "good 10.0.0.31 fd00::31 : open"),
        ),
        (
            "bad -> good tcp/80 deny",
            "bad -> good tcp/80 over ipv6 deny",
            "good -> bad tcp/80 deny",
            "bad.eth1 -> good icmp deny",
            "laptop -> bad.eth1 icmp deny",
            "bad -> bad.eth1 tcp/80 allow",
            "bad -> bad.eth2 tcp/80 deny",
            "half -> good tcp/80 allow",
            "half.eth1 -> good tcp/80 deny",
            "good -> half.eth1 tcp/80 over ipv6 deny",
            "good -> half tcp/80 allow",
            "half -> half.eth1 tcp/80 allow",
            # The virtual IP is where its active port is.
            "laptop -> vip tcp/80 deny",
            "vip -> laptop tcp/80 deny",
            "laptop -> free tcp/80 allow",
        ),
        blocks=("bad", "half.eth1"),
        vips=("vip 10.0.0.50 : bad half", "free 10.0.0.51 : half half.eth1"),
    ),
)


@pytest.mark.parametrize("judge", [by_oracle, by_evaluator], ids=["oracle", "evaluate"])
@pytest.mark.parametrize(("case", "line"), lines_of(CASES))
def test_what_the_specification_says(judge: Callable[[World, Flow], str], case: Case, line: str) -> None:
    says(judge, case, line)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_tells_fates_apart(case: Case) -> None:
    """A case of one fate only would not notice an oracle that always gives it."""
    words = {line.rpartition(" ")[2] for line in case.lines}
    assert len(words) > 1
    assert "allow" in words


DENY_ALL = "in deny all from any to any", "out deny all from any to any"
SHUT = Case(
    "everything denies",
    "4.4, 4.5",
    HUAWEI,
    {"shut": group()},
    ("a 10.0.0.11 : shut", "x 10.0.16.11 : shut", "other/o 10.1.0.11 : shut"),
    (),
    acls={"wall": acl()},
    edges={"main/net": "wall", "main/far": "wall", "other/net": "wall"},
    border=DENY_ALL,
    firewall=("deny all from any to any",),
    blocks=("a",),
)
_NO_PENALTY = replace(SHUT, blocks=())
_NO_PLATFORM = replace(
    _NO_PENALTY, profile=replace(HUAWEI, blocked_egress=ServiceSet(), carrier_blocks=ServiceSet.parse("tcp/26"))
)
_OUT_ONLY = replace(_NO_PLATFORM, groups={"shut": group(OUT)})
_NO_WALL = replace(_OUT_ONLY, acls={"wall": acl("out allow all from any to any")})
_NO_FIREWALLS = replace(_NO_WALL, border=(), firewall=())
_NO_ACL = replace(_NO_FIREWALLS, edges={})

ORDER = (
    ("a -> x tcp/25", SHUT, "platform: a is cut off"),
    ("a -> x tcp/25", _NO_PENALTY, "platform: nobody may send to port 25"),
    ("a -> x tcp/25", _NO_PLATFORM, "egress: a.eth0: no rule matched, deny by default"),
    ("a -> x tcp/25", _OUT_ONLY, "acl egress: net: wall, deny by default"),
    ("a -> x tcp/25", _NO_WALL, "acl ingress: far: wall, deny by default"),
    ("a -> x tcp/25", _NO_ACL, "ingress: x.eth0: no rule matched, deny by default"),
    ("laptop -> a tcp/26", SHUT, "platform: a is cut off"),
    ("laptop -> a tcp/26", _NO_PLATFORM, "platform: carriers block port 26"),
    ("laptop -> a tcp/80", _NO_PLATFORM, "border ingress: main, rule 1, says deny"),
    ("laptop -> a tcp/80", _NO_FIREWALLS, "acl ingress: net: wall, deny by default"),
    ("laptop -> a tcp/80", _NO_ACL, "ingress: a.eth0: no rule matched, deny by default"),
    ("a -> laptop tcp/26", _OUT_ONLY, "platform: carriers block port 26"),
    ("a -> laptop tcp/80", _OUT_ONLY, "acl egress: net: wall, deny by default"),
    ("a -> laptop tcp/80", _NO_WALL, "border egress: main, rule 2, says deny"),
    ("a -> laptop tcp/80", _NO_FIREWALLS, "route: there is a way"),
    ("a -> o tcp/80", _OUT_ONLY, "acl egress: net: wall, deny by default"),
    ("a -> o tcp/80", _NO_WALL, "peering: way, rule 1, says deny"),
    ("a -> o tcp/80", _NO_FIREWALLS, "acl ingress: net: wall, deny by default"),
    ("a -> o tcp/80", replace(_NO_WALL, firewall=None), "route: no path from VPC main to VPC other"),
    ("a -> 10.1.0.99 tcp/80", _NO_WALL, "peering: way, rule 1, says deny"),
    ("a -> 10.1.0.99 tcp/80", _NO_FIREWALLS, "route: nobody has 10.1.0.99"),
    ("a -> 10.0.0.99 tcp/80", _NO_ACL, "route: nobody has 10.0.0.99"),
)


@pytest.mark.parametrize(("query", "case", "words"), ORDER)
def test_the_first_stage_that_denies_is_named(query: str, case: Case, words: str) -> None:
    world = case.world
    flow, _ = fate(f"{query} deny", world)
    assert oracle.reason(world, flow) == words


def test_what_an_answer_fails_at_is_named() -> None:
    case = next(case for case in CASES if case.name == "both ends have a stateless ACL")
    world = case.world
    for query, words in (
        ("a -> x tcp/83 deny", "back, acl egress: far: far, rule 3, says deny"),
        ("a -> x tcp/84 deny", "back, acl ingress: net: near, rule 3, says deny"),
    ):
        flow, _ = fate(query, world)
        assert oracle.reason(world, flow) == words
