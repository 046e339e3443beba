"""World files with mistakes, each marked where it must be reported.

A line that must be reported ends in ``#! CODE :: WORDS :: WORDS``: all of the words stand in the message. Lines without
a mark must not be reported, so that each row also shows that nothing is said which only follows from another mistake.
"""

from __future__ import annotations

from tests.worldfile.mistakes_on_the_path import PATH_ROWS

VPC = "vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24, db: 10.0.2.0/24}}}\n"
TWO = (
    "vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}},"
    " ops: {cidrs: 10.1.0.0/16, subnets: {web: 10.1.1.0/24, jump: 10.1.2.0/24}}}\n"
)
GROUP = "groups: {sg: []}\n"

SHAPE = {
    "a list as a file": """\
- vpcs   #! world.type :: the file is a list, not a mapping :: vpcs:
""",
    "a text as a file": """\
just words   #! world.type :: the file is 'just words'
""",
    "an unknown section": """\
grups: {}   #! world.unknown_key :: unknown key 'grups' in the file :: did you mean 'groups'?
""",
    "a key like no other": """\
zzz: 1   #! world.unknown_key :: unknown key 'zzz' :: known keys: profile, switches, vpcs
""",
    "a misspelt section hides nothing else, and nothing follows from it": VPC
    + """\
grups: {sg: []}   #! world.unknown_key :: 'groups'
instances: {a: {subnet: web, ip: 10.0.1.11, groups: sg}}
""",
    "a section of the wrong kind": """\
vpcs: [shop]   #! world.type :: vpcs is a list, not a mapping :: NAME: {cidrs:
instances: {a: {subnet: web, ip: 10.0.1.11}}
""",
    "a list where a name belongs": """\
groups:
  ? [a, b]   #! world.type :: a list stands as a key :: use a name
  : []
""",
    "a section given twice": """\
groups: {}
groups: {}   #! world.duplicate_key :: groups is there already, in line 1
""",
    "a name given twice": """\
groups:
  sg: []
  sg: []   #! world.duplicate_key :: group sg is there already, in line 2
""",
    "names": """\
groups:
  any: []       #! input.notation :: 'any' is a word of the rule notation
  sg web: []    #! input.notation :: 'sg web' is not a name
  -sg: []       #! input.notation :: '-sg' is not a name
outside:
  my.host: 203.0.113.9   #! input.notation :: 'my.host' has a dot
expect:
  - my.host -> my.host.x icmp allow
""",
    "one alias, one mistake": """\
groups:
  one: {rules: &rules [in allow tcp 80 from nowhere!]}   #! input.notation :: 'nowhere!' is not a name
  two: {rules: *rules}
""",
}

PROFILES = {
    "an unknown cloud": """\
profile: alibab   #! world.value :: profile is 'alibab' :: use huawei or alibaba
groups: {sg: {type: advanced}}
""",
    "switches": """\
switches:
  group_ordre: sequence   #! world.unknown_key :: switches :: 'group_order'
  default_egress: accept  #! world.value :: default_egress of switches is 'accept' :: use allow or deny
  rules_per_group: many   #! input.notation :: 'many' is not a number
  default_priority: 0     #! input.notation :: '0' is not a number from 1 to 100
  self_reference: maybe   #! input.notation :: 'maybe' is neither true nor false
  on_change: hold         #! world.value :: on_change of switches is 'hold' :: use clear_inbound, rejudge, keep
  acl_exempt: []          #! world.unknown_key
  name: mine              #! world.unknown_key
  timeouts:
    icmp: 0               #! input.notation :: '0' is not a number from 1 to 432000
    tcp: 30               #! world.unknown_key :: 'tcp' in timeouts of switches :: did you mean
  blocked_egress: tcp/25,icmp    #! input.notation :: 'icmp' is no port of TCP or UDP
  carrier_blocks: [tcp/25, 445]  #! input.notation :: '445' is not a protocol
  risky_ports:            #! world.type :: risky_ports of switches is empty :: write a list like [tcp/25
  mid_stream: []          #! world.type :: mid_stream of switches is a list
""",
    "a VPC's own": """\
vpcs:
  shop: {cidrs: 10.0.0.0/16, profile: aws}        #! world.value :: profile of VPC shop is 'aws'
  ops:
    cidrs: 10.1.0.0/16
    switches: {groups_need_vpc: 2, timeouts: icmp=no}   #! input.notation :: '2' #! input.notation :: 'no'
groups: {a: {vpc: shop, type: advanced}, b: {vpc: ops, type: advanced}}
""",
}

TOPOLOGY = {
    "VPCs": """\
vpcs:
  a:                                #! world.missing_key :: VPC a has no cidrs
  b: {}                             #! world.missing_key :: VPC b has no cidrs :: add cidrs: [10.0.0.0/16]
  c: {cidrs: []}                    #! world.missing_key :: cidrs of VPC c is empty
  d: {cidrs: 10.0.0.1/16}           #! input.notation :: host bits :: 10.0.0.0/16
  e: {cidrs: [10.0.0.0/16, x]}      #! input.notation :: 'x' is neither an address nor a prefix
  f: {cidrs: {}}                    #! world.type :: cidrs of VPC f is a mapping, not a list
  g: {cidr: 10.0.0.0/16}            #! world.unknown_key :: unknown key 'cidr' in VPC g :: 'cidrs'
""",
    "a VPC's prefixes overlap": """\
vpcs:
  shop:
    cidrs:
      - 10.0.0.0/16
      - 172.16.0.0/16
      - 10.0.8.0/24     #! world.overlap :: 10.0.0.0/16 and 10.0.8.0/24 overlap :: keep one
""",
    "VPCs overlap, and outside hosts could not tell them apart": """\
vpcs:
  ops: {cidrs: 10.0.0.0/16}
  shop:
    cidrs: 10.0.0.0/16   #! world.overlap :: of VPC shop overlaps VPC ops
outside: {laptop: 203.0.113.9}
""",
    "subnets": """\
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00::/56"]
    subnets:
      a: 10.0.1.0/33          #! input.notation :: '10.0.1.0/33'
      b: {}                   #! world.missing_key :: subnet b of VPC shop has no prefix
      c: [10.0.1.0/24]        #! world.type :: subnet c of VPC shop is a list
      d: {cidr: "fd00::/64"}  #! input.notation :: fd00::/64 is not ipv4 :: write cidr6: fd00::/64
      e: {cidr6: 10.0.1.0/24} #! input.notation :: 10.0.1.0/24 is not ipv6 :: write cidr: 10.0.1.0/24
      f: 192.168.0.0/24       #! world.outside_vpc :: not inside VPC shop :: 10.0.0.0/16
      g: 10.0.2.0/30          #! world.subnet_size :: too small :: /29
      h: 10.0.4.0/24
      i: 10.0.4.0/25          #! world.overlap :: 10.0.4.0/25 overlaps 10.0.4.0/24 of subnet h
      j: {cidr: 10.0.5.0/24, gateway: 10.0.5.1}   #! world.unknown_key :: known keys: cidr, cidr6
""",
    "nothing follows from a VPC or a subnet that is not readable": """\
vpcs:
  shop:
    cidrs: 10.0.0/16                 #! input.notation
    subnets: {web: 10.0.1.0/24, db: 10.0.2.0.0/24}   #! input.notation
  ops: nothing                       #! world.type :: VPC ops is 'nothing'
groups: {sg: {rules: [in allow all from group default]}}
instances:
  a: {subnet: web, ip: 10.0.1.11, groups: sg}
  b: {subnet: db, ip: 10.0.2.11, groups: sg}
  c: {subnet: ops/jump, ip: 10.1.2.11, groups: sg}
  d: {subnet: jump, ip: 10.1.2.12}
expect: [a -> c tcp/80 allow, d -> b tcp/80 allow]
""",
    "instances": VPC
    + GROUP
    + """\
instances:
  a: {subnet: web, ip: 10.0.1.11, grups: [sg]}   #! world.unknown_key :: instance a :: 'groups'
  b: {ip: 10.0.1.12, groups: sg}                 #! world.missing_key :: instance b has no subnet :: add subnet: NAME
  c: {subnet: web, groups: sg}                   #! world.missing_key :: instance c has no address :: ip6
  d: {subnet: wbe, ip: 10.0.1.14, groups: sg}    #! world.unknown_subnet :: 'wbe' :: did you mean 'web'?
  e: {subnet: ops/web, ip: 10.0.1.15, groups: sg}    #! world.unknown_subnet :: 'ops/web' :: 'shop/web'
  f: {subnet: web, ip: "fd00::1", groups: sg}    #! input.notation :: fd00::1 is not ipv4 :: write ip6: fd00::1
  g: {subnet: web, ip: 10.0.1.300, groups: sg}   #! input.notation :: '10.0.1.300' is not an address
  h: [web, 10.0.1.17]                            #! world.type :: instance h is a list :: {subnet: NAME, ip: ADDRESS
  i: {subnet: web, ip: 10.0.1.18, groups: sg, serve: [tcp/80, tcp]}   #! input.notation :: 'tcp' names no port
  j: {subnet: web, ip: 10.0.1.19, groups: sg, serve: icmp}            #! input.notation :: nothing can listen on icmp
  k: {subnet: web, ip: 10.0.1.20, groups: {sg: 1}}    #! world.type :: groups of instance k is a mapping, not a list
  l: {subnet: web, ip: ~, groups: sg}            #! world.type :: ip of instance l is empty
""",
    "ports": VPC
    + GROUP
    + """\
instances:
  a:
    groups: [sg]    #! world.form :: instance a has ports, and groups beside them :: move groups into a port
    ports:
      eth0: {subnet: web, ip: 10.0.1.11, groups: sg}
      eth.1: {subnet: web, ip: 10.0.1.12, groups: sg}              #! input.notation :: 'eth.1' has a dot
      eth2: {subnet: web, ip: 10.0.1.13, groups: sg, serve: tcp/80}   #! world.unknown_key :: port eth2 of instance a
      eth3: {}      #! world.missing_key :: port eth3 of instance a has no subnet #! world.missing_key :: no address
  b: {ports: {}}    #! world.missing_key :: ports of instance b is empty
""",
    "a subnet's name that several VPCs have": TWO
    + GROUP
    + """\
instances:
  a: {subnet: web, ip: 10.0.1.11, groups: sg}   #! world.ambiguous_subnet :: several VPCs :: write ops/web or shop/web
  b: {subnet: jump, ip: 10.1.2.11, groups: sg}
""",
    "addresses of ports": """\
vpcs:
  shop:
    cidrs: [10.0.0.0/16, "fd00::/56"]
    subnets: {web: {cidr: 10.0.1.0/24, cidr6: "fd00::/64"}, db: 10.0.2.0/24}
groups: {sg: []}
instances:
  a: {subnet: web, ip: 10.0.2.11, groups: sg}    #! world.address_outside_subnet :: 10.0.2.11 is outside subnet web
  b:
    subnet: db
    groups: sg
    ip: 10.0.2.12
    ip6: fd00::11             #! world.address_outside_subnet :: subnet db has no ipv6 prefix :: cidr6
  c: {subnet: web, ip: 10.0.1.1, groups: sg}     #! world.address_reserved :: gateway
  d: {subnet: web, ip: 10.0.1.255, groups: sg}   #! world.address_reserved :: broadcast
  e: {subnet: web, ip6: "fd00::1", groups: sg}   #! world.address_reserved
  f: {subnet: web, ip: 10.0.1.11, groups: sg}
  g: {subnet: web, ip: 10.0.1.11, groups: sg}    #! world.address_in_use :: 10.0.1.11 belongs to f.eth0 already
""",
    "listeners": VPC
    + GROUP
    + """\
instances:
  a: {subnet: web, ip: 10.0.1.11, groups: sg, serve: [tcp/80@10.0.1.11, udp/80@127.0.0.1, tcp/80@127.0.0.1]}
  b:
    subnet: web
    ip: 10.0.1.12
    groups: sg
    serve: tcp/80@10.0.1.11    #! world.listener :: address that b does not have
  c: {subnet: web, ip: 10.0.1.13, groups: sg, serve: [tcp/80, tcp/80@127.0.0.1]}   #! world.duplicate :: the same port
""",
    "outside hosts": VPC
    + """\
outside:
  a: 203.0.113.300                  #! input.notation :: '203.0.113.300' is not an address
  b: []                             #! world.missing_key :: outside host b has no address
  c: [203.0.113.1, 203.0.113.2]     #! world.form :: has 203.0.113.1 already :: at most one ipv4 address
  d: {ip: 203.0.113.4}              #! world.type :: outside host d is a mapping
  e: 10.0.9.9                       #! world.inside_vpc :: inside VPC shop
  f: 203.0.113.5
  g: 203.0.113.5                    #! world.address_in_use :: 203.0.113.5 belongs to f already
  h: 203.0.113.8                    #! world.duplicate :: h is an instance as well
groups: {sg: []}
instances: {h: {subnet: web, ip: 10.0.1.11, groups: sg}}
""",
}

GROUPS = {
    "address groups": """\
address_groups:
  a: [203.0.113.9-203.0.113.1]      #! input.notation :: runs backwards :: 203.0.113.1-203.0.113.9
  b: {entry: []}                    #! world.unknown_key :: address group b :: 'entries'
  c: {}                             #! world.missing_key :: address group c has no entries
  10.0: [10.0.0.0/8]                #! input.notation :: reads as an address
  "any": [10.0.0.0/8]               #! input.notation :: word of the rule notation
  f: [10.0.0.0/8, "fd00::/8"]       #! world.mixed_family :: address group f mixes IPv4 and IPv6
  g: [10.0.0.1, 10.0.0.1/32]        #! world.duplicate :: lists 10.0.0.1 2 times
  h: [{cidr: 10.0.0.0/8}]           #! world.type :: item 1 of address group h is a mapping, not a text
groups:
  sg:
    - in allow tcp 80 from a
    - in allow icmp from b
    - in allow tcp 80 from h
    - in allow tcp 80 from nobody   #! InvalidPrefixListId.NotFound :: 'nobody'
""",
    "port lists": """\
port_lists:
  a: [80, 90-80]                    #! input.notation :: the port range '90-80' runs backwards :: write 80-90
  b: {entry: []}                    #! world.unknown_key :: port list b :: 'entries'
  c: {}                             #! world.missing_key :: port list c has no entries
  80: [80]                          #! input.notation :: the name '80' reads as ports in a rule :: begin it
  "any": [80]                       #! input.notation :: word of the rule notation
  f: [80, 80-80]                    #! world.duplicate :: port list f lists 80 2 times
  g: [80-90, 85-95, 96]
  h: [{port: 80}]                   #! world.type :: item 1 of port list h is a mapping, not a text
  i: [0]                            #! input.notation :: '0' is not a port
groups:
  sg:
    - in allow tcp a from any
    - in allow tcp 80,g from any    #! input.notation :: 'g' is not a port
    - in allow udp g from any port g    #! input.notation :: 'g' is not a port
    - in allow udp nothing from any    #! InvalidPortRangeListId.NotFound :: there is no port list 'nothing'
    - in allow icmp g from any      #! input.notation :: protocol icmp takes no ports
    - {direction: in, action: allow, protocol: tcp, ports: g, remote: any}
    - {direction: in, action: allow, protocol: tcp, ports: [g, 80], remote: any}    #! input.notation :: is not a name
    - {direction: in, action: allow, protocol: tcp, source_ports: g, remote: any}    #! input.notation :: is not a port
acls:
  edge:
    - in allow tcp g from any to any    #! input.notation :: 'g' is not a port
""",
    "groups": """\
groups:
  a: sg-b                     #! world.type :: group a is 'sg-b', not a mapping
  b: {rulez: []}              #! world.unknown_key :: group b :: 'rules'
  c: {rules: {in: allow}}     #! world.type :: rules of group c is a mapping, not a list
  d: {type: enterprise}       #! world.value :: type of group d is 'enterprise' :: basic or advanced
  e: {intra_group: off}       #! world.value :: 'off' :: accept or drop
  f: {template: web}          #! world.value :: template of group f is 'web' :: use default
  g: {tags: [a]}              #! world.type :: tags of group g is a list
  h: {tags: {env: [a]}}       #! world.type :: env of tags of group h is a list
  i: {description: ~}         #! world.type :: description of group i is empty
  j: {vpc: shop}              #! world.unknown_vpc :: there is no VPC 'shop'
  k: {type: advanced}         #! world.group_type :: the huawei profile has no advanced groups
""",
    "short rules": """\
groups:
  sg:
    - allow tcp 80 from any                  #! input.notation :: 'allow' stands where the direction should be
    - in tcp 80 from any                     #! input.notation :: 'tcp' stands where the action should be
    - in allow http from any                 #! input.notation :: 'http' is not a protocol
    - in allow tcp 200-1 from any            #! input.notation :: runs backwards :: write 1-200
    - in allow tcp 0 from any                #! input.notation :: '0' is not a port
    - in allow tcp 80,80-90 from any         #! input.notation :: overlap
    - in allow icmp 8 from any               #! input.notation :: takes no ports
    - in allow tcp 80 to any                 #! input.notation :: an 'in' rule has no 'to' :: 'from'
    - in allow tcp 80 from                   #! input.notation :: ends where its remote should be
    - in allow tcp 80 from 10.0.0.1/8        #! input.notation :: host bits
    - in allow icmp from ::/0                #! input.notation :: icmpv6
    - in allow tcp 80 from any priority 101  #! input.notation :: priority 101 is out of range
    - in allow tcp 80 from any prio 1        #! input.notation :: 'prio' is not understood
    - 22                                     #! input.notation :: '22' stands where the direction should be
    -                                        #! world.type :: rule 15 of group sg is empty
    - [in, allow]                            #! world.type :: rule 16 of group sg is a list
""",
    "what YAML makes of a rule": """\
groups:
  sg:
    rules:
      - in allow tcp 80 from any "web: front"    #! world.type :: ': ' in it, which YAML reads :: single quotes
      - in allow tcp 80 from any "ticket #12"    #! input.notation :: is not closed :: ' #' :: single quotes
      - 'in allow tcp 80 from any "ticket #12: front"'
  sg-flow:
    rules: [in allow tcp 80,443 from any]        #! input.notation :: inside [ ] #! input.notation :: '443' stands
""",
    "long rules": """\
groups:
  sg:
    rules:
      - {direction: inbound, action: allow, remote: any}       #! world.value :: 'inbound' :: in, ingress, out, egress
      - {direction: in, action: accept, remote: any}           #! world.value :: action of rule 2 of group sg
      - {direction: in, remote: any}                           #! world.missing_key :: has no action :: allow or deny
      - {direction: in, action: allow}                         #! world.missing_key :: rule 4 of group sg has no remote
      - {direction: in, action: allow, remote: 10.0.0.1/8}     #! input.notation :: host bits
      - {direction: in, action: allow, remote: any, proto: tcp}    #! world.unknown_key :: 'protocol'
      - {direction: in, action: allow, remote: any, protocol: http}    #! input.notation :: 'http'
      - {direction: in, action: allow, remote: any, protocol: tcp, ports: [80, 1:30]}    #! input.notation :: '1:30'
      - {direction: in, action: allow, remote: any, ports: 80}     #! input.notation :: takes no ports
      - {direction: in, action: allow, remote: any, priority: 1.5}     #! input.notation :: '1.5'
      - {direction: in, action: allow, remote: any, enabled: 1}    #! input.notation :: true nor false
      - {direction: in, action: allow, remote: any, id: a b}       #! input.notation :: 'a b' is not a rule id
      - direction: in
        action: allow
        remote: any
        protocol: tcp
        ports: 0                                               #! input.notation :: '0' is not a port
""",
    "rules among others": VPC
    + """\
address_groups:
  six: ["2001:db8::/32"]
  many: [10.0.0.0/8]
groups:
  sg:
    - in allow tcp 80 from any
    - in deny udp 53 from group sgg       #! InvalidSourceGroupId.NotFound :: no group 'sgg' :: did you mean 'sg'?
    - in allow tcp 80 from any priority 1 "again"    #! world.duplicate :: group sg has this rule already
    - in allow icmp from six              #! InvalidParam.PrefixListAddressFamilyMismatch :: can match ipv4 only
    - in allow tcp 22 from sg             #! InvalidPrefixListId.NotFound :: no address group 'sg' :: write 'group sg'
    - {direction: in, action: allow, remote: many, id: sgr-1}
    - {direction: out, action: allow, remote: many, id: sgr-1}    #! world.duplicate :: has the id sgr-1 already
  sg-2:
    template: default
    rules:
      - out allow all to 0.0.0.0/0        #! world.duplicate :: group sg-2 has this rule already
""",
    "limits": """\
switches: {rules_per_group: 3, groups_per_port: 2, rules_per_port: 5, group_rules_per_group: 1, port_ranges_per_rule: 2}
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}
groups:
  a: [in allow all from any, out allow all to any]   #! AuthorizationLimitExceed :: 4 rules ('any' counts as two)
  b: [in allow all from group a, in deny all from group b]   #! AuthorizedGroupRule.LimitExceed :: 2 rules that name
  c: ['in allow tcp 1,3,5 from 10.0.0.0/8']          #! limit.port_ranges :: lists 3 port ranges, huawei takes 2
instances:
  x: {subnet: web, ip: 10.0.1.11, groups: [b, c]}
  y: {subnet: web, ip: 10.0.1.12, groups: [a, b]}    #! limit.rules_per_port :: We recommend :: would have 6 rules
  z:
    {subnet: web, ip: 10.0.1.13, groups: [b, c, c]}  #! world.duplicate :: c 2 times #! limit.groups_per_port :: 3
  d: {subnet: web, ip: 10.0.1.14, groups: e}         #! InvalidSecurityGroupId.NotFound :: no group 'e'
""",
    "limits of what others hold": """\
switches: {members_per_group: 1, ports_per_instance: 1, subnets_per_vpc: 1, acls_per_vpc: 1}
vpcs:
  shop:                   #! limit.acls_per_vpc :: VPC shop has 2 acls, huawei allows 1
    cidrs: 10.0.0.0/16
    subnets:              #! limit.subnets_per_vpc :: VPC shop has 2 subnets, huawei allows 1
      web: 10.0.1.0/24
      db: 10.0.2.0/24
groups:
  sg: []                  #! limit.members :: group sg has 2 instances as members, huawei allows 1
acls: {one: {vpc: shop, rules: []}, two: {vpc: shop, rules: []}}
instances:
  x: {subnet: web, ip: 10.0.1.11, groups: sg}
  y:
    account: acme
    ports:                #! limit.ports_per_instance :: instance y has 2 ports, huawei allows 1
      a: {subnet: web, ip: 10.0.1.12, groups: sg}
      b: {subnet: db, ip: 10.0.2.12, groups: sg}
""",
    "supplementary interfaces": """\
switches: {sub_ports_per_instance: 4}
vpcs:
  shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}
  ops: {cidrs: 10.1.0.0/16, subnets: {jump: 10.1.2.0/24}}
groups: {sg: []}
instances:
  x:
    ports:                #! limit.sub_ports_per_instance :: x has 6 supplementary interfaces, huawei allows 4
      a: {subnet: web, ip: [10.0.1.11, 10.0.1.12], groups: sg}
      b: {subnet: web, ip: 10.0.1.21, groups: sg, parent: a, vlan: 7}
      c: {subnet: web, ip: 10.0.1.22, groups: sg, parent: a, vlan: 7}    #! world.duplicate :: x.b has VLAN 7
      d: {subnet: web, ip: 10.0.1.23, groups: sg, parent: b, vlan: 8}    #! world.supplementary :: hang off 'b'
      e: {subnet: jump, ip: 10.1.2.24, groups: sg, parent: a, vlan: 8}   #! world.supplementary :: in another VPC
      i: {subnet: web, ip: 10.0.1.28, groups: sg, parent: a, vlan: 4095} #! world.supplementary :: use 1 to 4094
      f: {subnet: web, ip: 10.0.1.25, groups: sg, vlan: 9}               #! world.supplementary :: hangs off no port
      g: {subnet: web, ip: 10.0.1.26, groups: sg, parent: nobody, vlan: 9}    #! world.supplementary :: 'nobody'
      h: {subnet: web, ip: 10.0.1.27, groups: sg, vlan: -1}              #! input.notation :: '-1' is not a VLAN
  y: {subnet: web, ip: 10.0.1.31, groups: sg, parent: eth0, vlan: 9} #! world.supplementary :: is the primary port
  z:
    ports:
      a: {subnet: web, ip: 10.0.1.41, groups: sg, parent: b, vlan: 9}    #! world.supplementary :: is the primary port
      b: {subnet: web, ip: [10.0.1.42, 10.0.1.42], groups: sg}           #! world.duplicate :: an address twice
  none: {subnet: web, ip: [], groups: sg}                                #! world.missing_key :: is empty
""",
    "the alibaba profile": "profile: alibaba\n"
    + TWO
    + """\
groups:
  a: {vpc: shop, rules: [in allow all from group a]}    #! InvalidParamter.Conflict :: may not name itself
  b: {vpc: ops}
  c: [in allow all from any]                            #! world.group_vpc :: names no VPC :: add vpc: ops
  d: {vpc: shop, type: advanced}
  e: {vpc: shop, type: advanced, intra_group: accept}   #! world.intra_group :: always isolated
  f:
    vpc: shop
    rules:
      - in allow all from group b       #! InvalidSourceGroupId.Mismatch :: group b belongs to VPC ops, f to shop
      - in allow all from group d       #! InvalidGroupParameter.OperationDenied :: advanced group neither names
      - in allow all from group c
instances:
  x: {subnet: shop/web, ip: 10.0.1.11, groups: b}        #! world.group_of_other_vpc :: b belongs to VPC ops
  y: {subnet: shop/web, ip: 10.0.1.12, groups: [a, d]}   #! world.group_type :: mixes basic and advanced groups
  z: {subnet: shop/web, ip: 10.0.1.13, groups: []}       #! world.no_group :: z.eth0 is in no group
""",
    "groups of another profile": """\
vpcs:
  shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}, profile: alibaba}
groups: {sg: []}
instances:
  x: {subnet: web, ip: 10.0.1.11, groups: sg}    #! world.group_of_other_profile :: give it vpc: shop
""",
    "nothing follows from a group that is not readable": "profile: alibaba\n"
    + VPC
    + """\
groups:
  a: {vpc: shopp}                     #! world.unknown_vpc :: did you mean 'shop'?
  b: {vcp: shop}                      #! world.unknown_key :: 'vpc'
  c: {vpc: shop, type: advnced}       #! world.value :: type of group c
  d: nothing                          #! world.type :: group d is 'nothing'
  e: {vpc: shop, type: advanced}
  f: {vpc: shop, rules: [in allow all from group a, in allow all from group b, in allow all from group d]}
instances:
  x: {subnet: web, ip: 10.0.1.11, groups: [a, b, d]}
  y: {subnet: web, ip: 10.0.1.12, groups: [c, e]}
""",
    "one default group cannot be in two VPCs": "profile: alibaba\n"
    + TWO
    + """\
instances:
  x: {subnet: shop/web, ip: 10.0.1.11}    #! world.default_group :: several VPCs (ops, shop) :: name a group
  y: {subnet: ops/web, ip: 10.1.1.11}
""",
}

EXPECT = {
    "expectations": VPC
    + """\
groups: {sg: []}
instances:
  a: {subnet: web, ip: 10.0.1.11, groups: sg}
  b: {subnet: web, ip: 10.0.1.12, groups: sg}
expect:
  - a -> c tcp/80 allow                  #! input.unknown_name :: outside host or group 'c' :: known: a, a.eth0
  - a.eth1 -> b tcp/80 allow             #! input.unknown_name :: 'a.eth1' :: did you mean 'a.eth0'?
  - a -> b tcp/80 allow over ipv6        #! input.notation :: says neither allow nor deny
  - a -> b tcp/80 over ipv6 allow        #! input.unknown_name :: a has no ipv6 #! input.unknown_name :: b has no ipv6
  - a -> b tcp allow                     #! input.notation :: 'tcp' names no port
  - a b tcp/80 allow                     #! input.notation :: 'a b tcp/80' is not a flow
  - a -> a tcp/80 allow                  #! world.expect :: goes to where it comes from
  - a -> b tcp/80 over ip allow          #! input.notation :: 'ip' is not a family
  - {flow: a -> b tcp/80}                #! world.missing_key :: expectation 9 has no verdict
  - {flow: a -> b, verdict: accept}      #! input.notation :: is not a flow #! world.value :: 'accept'
  - {flow: a -> b icmp, verdict: deny}
  - a -> b tcp/80: allow                 #! world.type :: ': ' in it
""",
    "nothing follows from an instance that is not readable": VPC
    + """\
groups: {sg: []}
instances:
  a: {subnet: web, ip: 10.0.1.1111, groups: sg}    #! input.notation
  b.b: {subnet: web, ip: 10.0.1.12, groups: sg}    #! input.notation :: has a dot
outside:
  laptop: 203.0.113.999                            #! input.notation
expect:
  - a -> b.b tcp/80 allow
  - laptop -> nobody icmp allow                    #! input.unknown_name :: 'nobody'
""",
}

ROWS = {**SHAPE, **PROFILES, **TOPOLOGY, **GROUPS, **EXPECT, **PATH_ROWS}
