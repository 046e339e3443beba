"""World files in every form: two that say the whole of a world, and pairs that say one world in two ways."""

from __future__ import annotations

from tests.worldfile.mistakes import TWO, VPC

ARCHITECTURE = """\
profile: huawei                  # or alibaba; a VPC may name its own; single switches are overridden under `switches:`
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00:10::/56"]
    subnets:
      web: {cidr: 10.0.1.0/24, cidr6: "fd00:10:0:1::/64"}
      db: 10.0.2.0/24
address_groups:
  office: [203.0.113.0/24, 198.51.100.7]
groups:
  sg-web:
    rules:
      - in allow tcp 80,443 from any            # counts as two rules: 0.0.0.0/0 and ::/0
      - in allow tcp 22 from office priority 10 "SSH from the office"
      - in deny all from 203.0.113.66/32 priority 1
      - out allow all to any
  sg-db:
    rules:
      - in allow tcp 3306 from group sg-web
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: [sg-web], serve: [tcp/80]}
  db-1:  {subnet: db, ip: 10.0.2.21, groups: [sg-db], serve: [tcp/3306, tcp/6379@127.0.0.1]}
outside:
  laptop: 203.0.113.9
expect:
  - web-1 -> db-1 tcp/3306 allow
  - laptop -> db-1 tcp/3306 deny
  - laptop -> web-1 icmp allow
"""

PATH = """\
vpcs:
  shop:
    cidrs: 10.0.0.0/16
    subnets: {web: {cidr: 10.0.1.0/24, acl: acl-web}, db: 10.0.2.0/24}
    border:
      - in deny tcp 8080 from any to any
      - {id: b-2, direction: out, action: deny, protocol: udp}
  ops: {cidrs: 10.1.0.0/16, subnets: {jump: 10.1.2.0/24}}
peerings:
  - {vpcs: [shop, ops], firewall: [deny tcp 22 from 10.1.0.0/16 to any]}
address_groups: {office: {entries: [203.0.113.0/24], max_entries: 5}}
port_lists: {web-ports: {entries: [8000-8100, 80], max_entries: 3}}
groups:
  sg: {account: acme, ftp_helper: yes, managed: nat, rules: [in allow tcp 21 from any managed dms]}
  listed: [in allow tcp web-ports from any disabled]
acls:
  acl-web:
    vpc: shop
    enabled: no
    description: the edge
    rules:
      - in deny tcp 80 from any to any
      - 'in allow tcp 80,443 from office port 1024-65535 to 10.0.1.0/24 disabled "never"'
      - out allow all from any to any
      - in allow all from any to any
instances:
  x:
    ports:
      blue: {subnet: web, ip: 10.0.1.11, groups: sg, namespace: inner}
      eth9: {subnet: db, ip: 10.0.2.11, groups: sg}
  y: {subnet: web, ip: 10.0.1.12, groups: sg}
virtual_ips: {vip: {subnet: web, ip: 10.0.1.100, ports: [y, x]}}
blocks: {y: fraud, x.eth9: spam}
expect:
  - x -> vip tcp/80 from port 53 deny
"""

PAIR = (
    "vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}\ngroups: {sg: }\n"
    "instances: {x: {subnet: web, ip: 10.0.1.11, groups: sg}, y: {subnet: web, ip: 10.0.1.12, groups: sg}}\n"
)

SAME = {
    "a group as a list": (
        "groups: {sg: [in allow tcp 80 from any]}",
        "groups: {sg: {rules: [in allow tcp 80 from any]}}",
    ),
    "nothing as a group": ("groups: {sg: }", "groups: {sg: {rules: []}}"),
    "nothing as sections": ("groups:\nvpcs: ~\nexpect:\n", "{}"),
    "a rule as a mapping": (
        "groups: {sg: ['out deny tcp 22,80-90 to group sg priority 7 disabled \"no: # more\"']}",
        (
            "groups: {sg: [{direction: egress, action: deny, protocol: tcp, ports: [80-90, 22], remote: group sg,"
            " priority: 7, enabled: no, description: 'no: # more'}]}"
        ),
    ),
    "a rule's defaults": (
        "groups: {sg: [in allow all from any priority 1]}",
        "groups: {sg: [{direction: in, action: allow, remote: any}]}",
    ),
    "ports as a number, a text or a list": (
        (
            "groups: {a: [{direction: in, action: allow, protocol: tcp, remote: any, ports: 80}],"
            " b: [{direction: in, action: allow, protocol: tcp, remote: any, ports: '80,90'}]}"
        ),
        (
            "groups: {a: [in allow tcp 80 from any],"
            " b: [{direction: ingress, action: allow, protocol: tcp, remote: any, ports: [90, 80]}]}"
        ),
    ),
    "the priority of a rule that names none": (
        "switches: {default_priority: 30}\ngroups: {sg: [in allow all from any]}",
        "switches: {default_priority: 30}\ngroups: {sg: [in allow all from any priority 30]}",
    ),
    "the priority of the group's own VPC": (
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/8, switches: {default_priority: 9}}}\n"
            "groups: {sg: {vpc: shop, rules: [in allow all from any]}}"
        ),
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/8, switches: {default_priority: 9}}}\n"
            "groups: {sg: {vpc: shop, rules: [in allow all from any priority 9]}}"
        ),
    ),
    "one text for a list": (
        "vpcs: {shop: {cidrs: 10.0.0.0/16}}\naddress_groups: {a: 10.0.0.1-10.0.0.6}",
        "vpcs: {shop: {cidrs: [10.0.0.0/16]}}\naddress_groups: {a: {entries: [10.0.0.1-10.0.0.6]}}",
    ),
    "ports of a list": (
        "port_lists: {a: 80-90}\ngroups: {sg: [in allow tcp a from any]}",
        (
            "port_lists: {a: {entries: [80-90]}}\n"
            "groups: {sg: {rules: [{direction: in, action: allow, protocol: tcp, ports: a, remote: any}]}}"
        ),
    ),
    "a subnet as a prefix": (
        "vpcs: {shop: {cidrs: ['fd00::/56', 10.0.0.0/16], subnets: {a: 10.0.0.0/24, b: 'fd00::/64'}}}",
        "vpcs: {shop: {cidrs: [10.0.0.0/16, 'fd00::/56'], subnets: {a: {cidr: 10.0.0.0/24}, b: {cidr6: 'fd00::/64'}}}}",
    ),
    "an instance with one port": (
        VPC + "groups: {sg: }\ninstances: {x: {subnet: web, ip: 10.0.1.9, groups: sg, serve: tcp/80}}",
        VPC + "groups: {sg: }\n"
        "instances: {x: {ports: {eth0: {subnet: shop/web, ip: 10.0.1.9, groups: [sg]}}, serve: [tcp/80]}}",
    ),
    "an address as a list": (
        VPC + "groups: {sg: }\ninstances: {x: {subnet: web, ip: 10.0.1.9, groups: sg}}",
        VPC + "groups: {sg: }\ninstances: {x: {subnet: web, ip: [10.0.1.9], groups: sg}}",
    ),
    "a name that one VPC has needs no VPC": (
        TWO + "groups: {sg: }\ninstances: {x: {subnet: jump, ip: 10.1.2.9, groups: sg}}",
        TWO + "groups: {sg: }\ninstances: {x: {subnet: ops/jump, ip: 10.1.2.9, groups: sg}}",
    ),
    "an expectation as a mapping": (
        "outside: {a: 192.0.2.1, b: [192.0.2.2, '2001:db8::1']}\nexpect: [a -> b tcp/80 allow]",
        "outside: {b: ['2001:db8::1', 192.0.2.2], a: [192.0.2.1]}\nexpect: [{flow: a -> b tcp/80, verdict: allow}]",
    ),
    "words that YAML takes for something else": (
        "groups: {on: {tags: {1e3: 0x10, yes: 2026-11-22}}, null: [in allow tcp 22 from group on]}",
        "groups: {'on': {tags: {'1e3': '0x10', 'yes': '2026-11-22'}}, 'null': ['in allow tcp 22 from group on']}",
    ),
    "an alias": (
        "groups: {a: &rules [in allow tcp 80 from any], b: *rules}",
        "groups: {a: [in allow tcp 80 from any], b: [in allow tcp 80 from any]}",
    ),
    "template and list together": (
        "groups: {sg: {template: default, rules: [in deny tcp 22 from any]}}",
        (
            "groups: {sg: [out allow all to 0.0.0.0/0, in allow all from group sg to 0.0.0.0/0, in deny tcp 22 from any"
            ", 'out allow all to ::/0', 'in allow all from group sg to ::/0']}"
        ),
    ),
    "a switch set to what it is": ("profile: alibaba\nswitches: {intra_group: accept}", "profile: alibaba"),
    "an ACL as a list": (
        "acls: {a: [in allow tcp 80 from any to any, out deny all from any to any]}",
        "acls: {a: {rules: [in allow tcp 80 from any to any, out deny all from any to any]}}",
    ),
    "a rule of an ACL as a mapping": (
        (
            "address_groups: {g: [10.0.0.0/8]}\n"
            "acls: {a: ['out deny tcp 22,80-90 from 10.0.0.0/8 port 1-9 to g disabled \"no: # more\"']}"
        ),
        (
            "address_groups: {g: [10.0.0.0/8]}\n"
            "acls: {a: [{direction: egress, action: deny, protocol: tcp, ports: [80-90, 22], source: 10.0.0.0/8,"
            " source_ports: 1-9, destination: g, enabled: no, description: 'no: # more'}]}"
        ),
    ),
    "what a rule of an ACL leaves out": (
        "acls: {a: [in allow all from any to any]}",
        "acls: {a: {enabled: yes, rules: [{direction: in, action: allow}]}}",
    ),
    "the template of an ACL stands behind its own rules": (
        (
            "profile: alibaba\nvpcs: {shop: {cidrs: 10.0.0.0/16}}\n"
            "acls: {a: {vpc: shop, template: default, rules: [in deny tcp 22 from any to any]}}"
        ),
        (
            "profile: alibaba\nvpcs: {shop: {cidrs: 10.0.0.0/16}}\nacls: {a: {vpc: shop, rules: ["
            "in deny tcp 22 from any to any, in allow all from any to any, out allow all from any to any]}}"
        ),
    ),
    "the template of an ACL is that of its VPC's profile": (
        "vpcs: {shop: {cidrs: 10.0.0.0/16, profile: alibaba}}\nacls: {a: {vpc: shop, template: default}}",
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/16, profile: alibaba}}\n"
            "acls: {a: {vpc: shop, rules: [in allow all from any to any, out allow all from any to any]}}"
        ),
    ),
    "a peering as a pair, in any order": (
        TWO + "peerings: [[shop, ops]]",
        TWO + "peerings: [{vpcs: [ops, shop], name: ops-shop, firewall: []}]",
    ),
    "firewalls": (
        (
            "vpcs: {a: {cidrs: 10.0.0.0/16, border: [in deny tcp 80 from any to any]}, b: {cidrs: 10.1.0.0/16}}\n"
            "peerings: [{vpcs: [a, b], firewall: [deny tcp 80 from 10.0.0.0/16 to any]}]"
        ),
        (
            "vpcs: {b: {cidrs: 10.1.0.0/16}, a: {cidrs: 10.0.0.0/16, network: vpc, border: ["
            "{direction: in, action: deny, protocol: tcp, ports: 80}]}}\npeerings: [{vpcs: [b, a], firewall: ["
            "{action: deny, protocol: tcp, ports: 80, source: 10.0.0.0/16, destination: any}]}]"
        ),
    ),
    "virtual IPs": (
        PAIR
        + "virtual_ips: {v: {subnet: web, ip: 10.0.1.100, ports: [y, x]}, w: {subnet: web, ip: 10.0.1.101, ports: x}}",
        (
            PAIR + "virtual_ips: {w: {subnet: shop/web, ip: 10.0.1.101, ports: [x.eth0]},"
            " v: {subnet: web, ip: 10.0.1.100, ports: [x.eth0, y.eth0], active: y}}"
        ),
    ),
    "a rule of five parts as a mapping": (
        (
            "profile: alibaba\nvpcs: {shop: {cidrs: 10.0.0.0/16}}\ngroups: {sg: {vpc: shop, rules: ["
            "in allow tcp 80 from 10.0.0.0/8 port 1-9 to 10.0.0.1/32 managed dms, out deny all to any]}}"
        ),
        (
            "profile: alibaba\nvpcs: {shop: {cidrs: 10.0.0.0/16}}\ngroups: {sg: {vpc: shop, rules: ["
            "{direction: in, action: allow, protocol: tcp, ports: 80, remote: 10.0.0.0/8, source_ports: 1-9,"
            " local: 10.0.0.1, managed: dms}, {direction: out, action: deny, remote: any, local: any}]}}"
        ),
    ),
    "timeouts as a text": (
        "profile: alibaba\nswitches: {timeouts: 'icmp=5, one_way=7'}",
        "profile: alibaba\nswitches: {timeouts: {one_way: 7, icmp: 5, tcp_established: 910}}",
    ),
    "services as a text": (
        "switches: {blocked_egress: 'udp/135-139, tcp/25', risky_ports: [], carrier_blocks: tcp/445}",
        "switches: {blocked_egress: [tcp/25, udp/135-139], risky_ports: '', carrier_blocks: [tcp/445]}",
    ),
    "what a group and a port leave out": (
        VPC + "groups: {sg: {ftp_helper: no}}\ninstances: {x: {subnet: web, ip: 10.0.1.9, groups: sg}}",
        VPC + "groups: {sg: []}\ninstances: {x: {ports: {eth0: {subnet: web, ip: 10.0.1.9, groups: sg}}}}",
    ),
    "the default group of huawei": (
        VPC + "instances: {x: {subnet: web, ip: 10.0.1.9}}",
        VPC + "groups: {default: {template: default}}\ninstances: {x: {subnet: web, ip: 10.0.1.9, groups: default}}",
    ),
    "the default group of huawei serves every VPC": (
        TWO + "instances: {x: {subnet: shop/web, ip: 10.0.1.9}, y: {subnet: jump, ip: 10.1.2.9}}",
        TWO + "groups: {default: {template: default}}\n"
        "instances: {x: {subnet: shop/web, ip: 10.0.1.9, groups: [default]}, y: {subnet: jump, ip: 10.1.2.9}}",
    ),
    "the default group of alibaba belongs to the VPC of its ports": (
        "profile: alibaba\n" + TWO + "instances: {x: {subnet: jump, ip: 10.1.2.9}}",
        "profile: alibaba\n" + TWO + "groups: {default: {template: default, vpc: ops}}\n"
        "instances: {x: {subnet: jump, ip: 10.1.2.9}}",
    ),
    "the default group of a VPC with another profile": (
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/16, profile: alibaba, subnets: {web: 10.0.1.0/24}}}\n"
            "instances: {x: {subnet: web, ip: 10.0.1.9}}"
        ),
        (
            "vpcs: {shop: {cidrs: 10.0.0.0/16, profile: alibaba, subnets: {web: 10.0.1.0/24}}}\n"
            "groups: {default: {template: default, vpc: shop}}\ninstances: {x: {subnet: web, ip: 10.0.1.9}}"
        ),
    ),
    "a default group of one's own": (
        VPC + "groups: {default: []}\ninstances: {x: {subnet: web, ip: 10.0.1.9}}",
        VPC + "groups: {default: []}\ninstances: {x: {subnet: web, ip: 10.0.1.9, groups: default}}",
    ),
}
