"""World files with mistakes in what stands on the path: ACLs, peerings, virtual IPs, blocks, the classic network.

They are marked as in `tests.worldfile.mistakes`.
"""

from __future__ import annotations

ACLS = {
    "ACL rules": """\
acls:
  acl-web:
    - allow tcp 80 from any to any                #! world.rule_direction :: ACL acl-web :: begin it with in or out
    - in allow tcp 80 from any                    #! input.notation :: ends where its preposition should be
    - in permit tcp 80 from any to any            #! input.notation :: 'permit' stands where the action should be
    - in allow icmp 8 from any to any             #! input.notation :: protocol icmp takes no ports
    - in allow icmp from any port 8 to any        #! input.notation :: protocol icmp takes no ports
    - in allow all from any to group sg           #! input.notation :: 'group sg' cannot stand in an ACL
    - in allow all from 10.0.0.0/8 to ::/0        #! input.notation :: of different families
    - in allow all from any to any priority 1     #! input.notation :: 'priority' is not understood
    - in deny tcp 22 from any to any
    - in deny tcp 22 from any to any disabled "again"    #! world.duplicate :: ACL acl-web has this rule already
    - {direction: in, action: allow, remote: any}        #! world.unknown_key :: 'remote' in rule 11 of ACL acl-web
    - {direction: in, source: any}                       #! world.missing_key :: has no action
    - {direction: in, action: allow, source: group sg}   #! input.notation :: cannot stand in an ACL
    - {direction: in, action: allow, destination: nowhere!}    #! input.notation :: 'nowhere!' is not a name
    - {direction: in, action: allow, protocol: gre, ports: 1}  #! input.notation :: takes no ports
    - {direction: up, action: allow}                     #! world.value :: 'up' :: in, ingress, out, egress
    - {action: allow, protocol: udp, ports: 53}          #! world.rule_direction
    - [in, allow]                                        #! world.type :: rule 18 of ACL acl-web is a list
groups: {sg: []}
""",
    "ACLs": """\
acls:
  a: allow                        #! world.type :: ACL a is 'allow', not a mapping
  b: {rule: []}                   #! world.unknown_key :: ACL b :: 'rules'
  c: {vpc: shop}                  #! world.unknown_vpc :: there is no VPC 'shop'
  d: {enabled: perhaps}           #! input.notation :: neither true nor false
  e: {template: web}              #! world.value :: template of ACL e
  f: {rules: {in: allow}}         #! world.type :: rules of ACL f is a mapping, not a list
  any: []                         #! input.notation :: word of the rule notation
""",
    "address groups in ACL rules": """\
address_groups:
  four: [10.0.0.0/8]
  six: ["2001:db8::/32"]
acls:
  a:
    - in allow all from fuor to any         #! InvalidPrefixListId.NotFound :: 'fuor' :: did you mean 'four'?
    - in allow all from four to ::/0        #! InvalidParam.PrefixListAddressFamilyMismatch :: can match ipv6 only
    - in allow icmpv6 from any to four      #! InvalidParam.PrefixListAddressFamilyMismatch
    - in allow all from four to four        #! world.two_address_groups :: takes one on one side only
    - out allow all from any to six
""",
    "ACLs of subnets": """\
vpcs:
  ops:
    cidrs: 10.1.0.0/16
    profile: alibaba
    subnets:
      a: {cidr: 10.1.1.0/24, acl: everybodys}    #! world.acl_vpc :: VPC ops takes only ACLs of its own :: vpc: ops
      b: {cidr: 10.1.2.0/24, acl: shops}         #! world.acl_of_other_vpc :: ACL shops belongs to VPC shop
  shop:
    cidrs: 10.0.0.0/16
    subnets:
      a: {cidr: 10.0.1.0/24, acl: everybody}     #! world.unknown_acl :: 'everybody' :: did you mean 'everybodys'?
      b: {cidr: 10.0.2.0/24, acl: everybodys}
      c: {cidr: 10.0.3.0/24, acl: shops}
      d: {cidr: 10.0.4.0/24, acl: [shops]}       #! world.type :: acl of subnet d of VPC shop is a list
      e: {acl: shops}                            #! world.missing_key :: subnet e of VPC shop has no prefix
acls: {everybodys: [], shops: {vpc: shop}}
""",
    "an ACL of the alibaba profile belongs to a VPC": """\
profile: alibaba
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {a: {cidr: 10.0.1.0/24, acl: acl-web}}}}
acls: {acl-web: []}    #! world.acl_vpc :: ACL acl-web names no VPC :: add vpc: shop
""",
    "limits of ACLs": """\
profile: alibaba
switches: {acl_rules_per_direction: 2}
vpcs: {shop: {cidrs: 10.0.0.0/16}, ops: {cidrs: 10.1.0.0/16, switches: {acl_rules_per_family: no}}}
address_groups: {one: {entries: [10.0.0.0/8], max_entries: 2}}
acls:
  a:
    vpc: shop
    rules:
      - in allow all from any to any
      - in allow all from 10.0.0.0/8 to any
      - in allow all from ::/0 to any
      - out allow all from any to one
  b:    #! limit.acl_rules :: ACL b has 3 ipv6 'in' rules :: alibaba allows 2
    {vpc: shop, rules: [in allow tcp from any to any, in allow udp from any to any, in allow gre from any to ::/0]}
  c:    #! limit.acl_rules :: ACL c has 3 ipv4 'out' rules
    {vpc: shop, rules: [out allow tcp from any to one, out allow udp from any to 10.0.0.0/8]}
  d:    #! limit.acl_rules :: ACL d has 3 'in' rules
    {vpc: ops, rules: [in allow tcp from any to any, in allow udp from any to ::/0]}
""",
    "nothing follows from an ACL or an address group that is not readable": """\
profile: alibaba
vpcs:
  shop:
    cidrs: 10.0.0.0/16
    subnets: {a: {cidr: 10.0.1.0/24, acl: acl-web}, b: {cidr: 10.0.2.0/24, acl: acl-db}}
    border: [in allow all from many to any]
  ops: {cidrs: 10.1.0.0/16, subnets: {c: {cidr: 10.1.1.0/24, acl: acl-db}}}
peerings: [{vpcs: [shop, ops], firewall: [allow all from any to many]}]
address_groups: {many: [10.0.0.0/8, nothing]}    #! input.notation
acls:
  acl-web: {vcp: shop, rules: [in allow icmpv6 from many to any]}    #! world.unknown_key :: 'vpc'
  acl-db: {vpc: shopp}                                               #! world.unknown_vpc :: did you mean 'shop'?
""",
    "nothing follows from sections that are not readable": """\
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {a: {cidr: 10.0.1.0/24, acl: acl-web}}}}
acls: [acl-web]                   #! world.type :: acls is a list
address_groups: many              #! world.type :: address_groups is 'many'
instances: nothing                #! world.type :: instances is 'nothing'
virtual_ips: {vip: {subnet: a, ip: 10.0.1.100, ports: [web-1]}}
blocks: {web-1: spam}
expect: [vip -> web-1 tcp/80 allow]
""",
}

FIREWALLS = {
    "peerings": """\
vpcs:
  a: {cidrs: 10.1.0.0/16}
  b: {cidrs: 10.2.0.0/16}
  c: {cidrs: [10.3.0.0/16, "fd00::/56"]}
  d: {cidrs: ["fd00::/48", 10.4.0.0/16]}
peerings:
  - {vpcs: [a, e]}                       #! world.unknown_vpc :: there is no VPC 'e'
  - {vpcs: [a, a]}                       #! world.peering :: peering a-a joins VPC a to itself
  - {vpcs: [a, b]}
  - {vpcs: [b, a]}                       #! world.duplicate :: a peering a-b is there already :: keep one
  - {vpcs: [a, b], name: again}          #! world.duplicate :: a and b are peered already, by a-b
  - {vpcs: [c, d]}                       #! world.overlap :: fd00::/48 of VPC d overlaps VPC c, and they are peered
  - {vpcs: [b, c], name: b-d}
  - {vpcs: [b, d]}                       #! world.duplicate :: a peering b-d is there already :: another name
  - {vpcs: a}                            #! world.type :: vpcs of peering 9 is 'a', not a list
  - {vpcs: [a, b, c]}                    #! world.form :: vpcs of peering 10 names 3 VPCs :: the two that it joins
  - {name: x}                            #! world.missing_key :: peering 11 has no vpcs
  - {vpcs: [a, b], via: c}               #! world.duplicate #! world.unknown_key :: 'via'
  - [a]                                  #! world.form :: peering 13 names 1 VPCs
  - a                                    #! world.type :: peering 14 is 'a', not a mapping
""",
    "two ways to one address": """\
vpcs:
  a: {cidrs: 10.1.0.0/16}
  b: {cidrs: 10.2.0.0/16}
  c: {cidrs: [10.3.0.0/16, 10.2.128.0/17]}
peerings:
  - {vpcs: [a, b]}
  - {vpcs: [a, c]}    #! world.overlap :: VPC a would have two ways to 10.2.128.0/17: peering a-b and peering a-c
""",
    "peerings may go round, and VPCs that overlap may both exist": """\
grups: {}    #! world.unknown_key
vpcs: {a: {cidrs: 10.1.0.0/16}, b: {cidrs: 10.2.0.0/16}, c: {cidrs: 10.3.0.0/16}, d: {cidrs: 10.1.0.0/16}}
peerings: [[a, b], [b, c], [c, a]]
""",
    "firewalls": """\
vpcs:
  a:
    cidrs: 10.1.0.0/16
    border:
      - allow tcp 80 from any to any             #! world.rule_direction :: border of a :: begin it with in or out
      - in deny all from badlands to any         #! InvalidPrefixListId.NotFound :: 'badlands'
      - in deny tcp 80 from any to any
      - in deny tcp 80 from any to any           #! world.duplicate :: the border of a has this rule already
      - {direction: in, action: deny}
      - {direction: in, action: drop}            #! world.value :: action of border rule 6 of VPC a
      - {direction: out, action: deny, id: r-1}
  b: {cidrs: 10.2.0.0/16, border: in deny all from any to any}    #! world.type :: border of VPC b
peerings:
  - vpcs: [a, b]
    firewall:
      - in deny tcp 80 from any to any           #! world.rule_direction :: peering a-b has no direction :: 'in'
      - deny tcp 80 from any to any
      - deny tcp 80 from any to any              #! world.duplicate :: peering a-b has this rule already
      - deny all from any                        #! input.notation :: ends where its preposition should be
      - {action: deny, protocol: udp, id: r-1}   #! world.duplicate :: a rule of border of a has the id r-1 already
      - allow all from lists to lists
address_groups: {lists: [10.0.0.0/8]}
acls:
  web:
    - {direction: in, action: allow, id: sgr-1}    #! world.duplicate :: a rule of group sg has the id sgr-1 already
groups:
  sg: [{direction: in, action: allow, remote: any, id: sgr-1}]
""",
}

HOLDERS = {
    "virtual IPs": """\
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24, db: 10.0.2.0/24}}}
groups: {sg: []}
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: sg}
  web-2: {subnet: web, ip: 10.0.1.12, groups: sg}
  db-1: {subnet: db, ip: 10.0.2.11, groups: sg}
outside: {laptop: 203.0.113.9}
virtual_ips:
  a: {subnet: web, ip: 10.0.2.100, ports: [web-1]}       #! world.address_outside_subnet :: 10.0.2.100 is outside
  b: {subnet: web, ip: 10.0.1.1, ports: [web-1]}         #! world.address_reserved :: gateway
  c: {subnet: web, ip: 10.0.1.12, ports: [web-1]}        #! world.address_in_use :: 10.0.1.12 belongs to web-2.eth0
  d: {subnet: web, ip: 10.0.1.100, ports: [web-1, web-2]}
  e: {subnet: web, ip: 10.0.1.100, ports: [web-1]}       #! world.address_in_use :: 10.0.1.100 belongs to d already
  f: {subnet: web, ip: 10.0.1.101, ports: [web-1, db-1]}    #! world.virtual_ip :: db-1.eth0 is in shop/db
  g: {subnet: web, ip: 10.0.1.102, ports: []}            #! world.virtual_ip :: no port is behind virtual IP g
  h: {subnet: web, ip: 10.0.1.103, ports: [web-1], active: web-2}    #! world.virtual_ip :: web-2.eth0 has virtual IP h
  i: {subnet: web, ip: 10.0.1.104, ports: [web-3]}       #! world.unknown_port :: 'web-3'
  j: {subnet: web, ip: 10.0.1.105, ports: [web-1, web-1.eth0]}    #! world.duplicate :: lists web-1.eth0 twice
  k: {subnet: web, ip: 10.0.1.106}                       #! world.missing_key :: virtual IP k has no ports
  l: {subnet: web, ports: [web-1]}                       #! world.missing_key :: virtual IP l has no address
  m: {subnet: wbe, ip: 10.0.1.107, ports: [web-1]}       #! world.unknown_subnet :: 'wbe'
  n: {subnet: web, ip: "fd00::1", ports: [web-1]}        #! input.notation :: fd00::1 is not ipv4
  o: {subnet: web, ip6: "fd00::100", ports: [web-1]}     #! world.address_outside_subnet :: has no ipv6 prefix
  laptop: {subnet: web, ip: 10.0.1.108, ports: [web-1]}  #! world.duplicate :: laptop is an outside host as well
  web-1: {subnet: web, ip: 10.0.1.109, ports: [web-1]}   #! world.duplicate :: web-1 is an instance as well
  p: 10.0.1.110                                          #! world.type :: virtual IP p is '10.0.1.110'
expect:
  - laptop -> m tcp/80 allow
  - d -> laptop tcp/80 allow
""",
    "ports behind a virtual IP, each in its line": """\
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}
groups: {sg: []}
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: sg}
  web-2: {subnet: web, ip: 10.0.1.12.1, groups: sg}    #! input.notation
virtual_ips:
  a:
    subnet: web
    ip: 10.0.1.100
    ports:
      - web-9    #! world.unknown_port :: 'web-9'
      - web-1
      - web-2.eth1
""",
    "blocks": """\
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}
groups: {sg: []}
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: sg}
  web-2: {subnet: web, ip: 10.0.1.300, groups: sg}    #! input.notation
blocks:
  web-1: " "             #! world.penalty :: the block of web-1 gives no reason
  web-1.eth0: spam
  web-1.eth1: spam       #! world.unknown_port :: 'web-1.eth1' to block :: did you mean 'web-1.eth0'?
  db-1: spam             #! world.unknown_port :: 'db-1'
  web-2: spam
  web-2.eth7: ~          #! world.type :: block web-2.eth7 is empty
""",
    "namespaces of a guest": """\
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}
groups: {sg: []}
instances:
  web-1: {subnet: web, ip: 10.0.1.11, groups: sg, namespace: "a b"}    #! input.notation :: 'a b' is not a name
""",
}

RULES = {
    "long rules of five parts": """\
profile: alibaba
vpcs: {shop: {cidrs: 10.0.0.0/16}}
groups:
  sg:
    vpc: shop
    rules:
      - {direction: in, action: allow, remote: any, local: office}             #! input.notation :: own side
      - {direction: in, action: allow, remote: 10.0.0.0/8, local: "::/0"}      #! input.notation :: different families
      - {direction: in, action: allow, remote: any, source_ports: 80}          #! input.notation :: takes no ports
      - {direction: in, action: allow, remote: any, nic: public}               #! world.value :: intranet or internet
      - {direction: in, action: allow, remote: any, managed: a b}              #! input.notation :: 'a b' is not a name
      - in allow tcp 80 from any to group sg                                   #! input.notation :: own side
      - in allow tcp 80 from any nic public                                    #! input.notation :: 'public'
      - in allow tcp 80 from group sg nic internet                             #! input.notation :: intranet addresses
      - {direction: in, action: allow, remote: office, local: "::/0"}    #! InvalidParam.PrefixListAddressFamilyMismatch
address_groups: {office: [10.0.0.0/8]}
""",
    "rules of five parts where a profile has none": """\
groups:
  sg:
    - in allow tcp 80 from any to 10.0.0.1/32          #! world.five_tuple :: its own address 10.0.0.1/32 :: ACL
    - out allow udp 53 to any from any port 1024-65535    #! world.five_tuple :: source ports 1024-65535
""",
    "accounts": """\
profile: alibaba
vpcs: {shop: {cidrs: 10.0.0.0/16, subnets: {web: 10.0.1.0/24}}}
groups:
  own: {vpc: shop}
  theirs: {vpc: shop, account: acme}
  a:
    vpc: shop
    rules:
      - in allow all from group theirs         #! InvalidSourceGroupId.NotFound :: account acme :: 'group acme/theirs'
      - in allow all from group other/theirs   #! InvalidSourceGroupId.NotFound :: names account other :: acme/theirs
      - in allow all from group acme/own       #! InvalidSourceGroupId.NotFound :: your own account :: 'group own'
      - in allow tcp from group acme/theirs
      - in allow udp from group own
  b:
    vpc: shop
    account: acme
    rules:
      - in allow tcp from group theirs
      - in allow udp from group acme/theirs
      - in allow all from group own
  c: {vpc: shop, account: a/b}                 #! input.notation :: 'a/b' is not a name
  d: {vpc: shop, rules: [in allow all from group c], ftp_helper: maybe}    #! input.notation :: neither true nor
instances:
  x: {subnet: web, ip: 10.0.1.11, groups: [own, theirs]}    #! world.group_of_other_account :: several accounts
""",
    "one account only": """\
groups:
  own: [in allow all from group acme/theirs]    #! InvalidSourceGroupId.Mismatch :: groups of one account only
  theirs: {account: acme}
""",
    "sizes of address groups": """\
switches: {address_group_entries: 3}
address_groups:
  a: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]    #! limit.address_group_entries :: a has 4 entries, huawei allows 3
  b: {entries: [10.0.0.1, 10.0.0.2], max_entries: 1}    #! limit.address_group_entries :: its max_entries is 1
  c:
    entries: [10.0.0.1]
    max_entries: 4                                #! limit.address_group_entries :: huawei allows 1 to 3
  d: {entries: [], max_entries: 0}                #! limit.address_group_entries :: may have 0 entries
  e: {entries: [], max_entries: many}             #! input.notation :: 'many' is not a number
  f: [10.0.0.5-10.0.0.9]
""",
    "sizes of port lists": """\
profile: alibaba
switches: {port_list_entries: 3}
vpcs: {shop: {cidrs: 10.0.0.0/16}}
port_lists:
  a: [1, 2, 3, 4]                                 #! limit.port_list_entries :: a has 4 entries, alibaba allows 3
  b: {entries: [1, 2], max_entries: 1}            #! limit.port_list_entries :: its max_entries is 1
  c: {entries: [1], max_entries: 4}               #! limit.port_list_entries :: alibaba allows 1 to 3
  d: {entries: 1-9, max_entries: 3}
  e: []
address_groups: {ten: {entries: [10.0.0.1], max_entries: 34}}
groups:
  sg: {vpc: shop, rules: [in allow tcp d from ten]}
  sg-2:    #! AuthorizationLimitExceed :: group sg-2 has 204 rules :: a port list likewise
    {vpc: shop, rules: [in allow tcp d from ten, in allow udp d from ten]}
  sg-3: {vpc: shop, rules: [in allow tcp e from ten]}
""",
    "address groups of the alibaba profile": """\
profile: alibaba
vpcs: {shop: {cidrs: 10.0.0.0/16}}
address_groups:
  a: [10.0.0.5-10.0.0.9]             #! world.address_range :: lists 10.0.0.5-10.0.0.9 :: prefixes
  b: {entries: [10.0.0.8-10.0.0.15], max_entries: 100}
groups:
  sg:    #! AuthorizationLimitExceed :: group sg has 201 rules :: an address group as its entries
    {vpc: shop, rules: ['in allow tcp 22,80 from b', in allow icmp from 10.0.0.0/8]}
  sg-2: {vpc: shop, rules: [in allow tcp 22 from b, in allow tcp 80 from b]}
""",
}

CLASSIC = {
    "a classic network where a profile has none": """\
vpcs:
  old:
    cidrs: 10.0.0.0/8
    network: classic        #! world.network_type :: the huawei profile has no classic network
    subnets: {net: {cidr: 47.0.0.0/24, nic: internet}}    #! world.outside_vpc
""",
    "the classic network": """\
profile: alibaba
vpcs:
  old:
    cidrs: [10.0.0.0/16, 47.0.0.0/16]
    network: classic
    subnets: {intra: 10.0.1.0/24, inter: {cidr: 47.0.1.0/24, nic: internet}}
  shop:
    cidrs: 172.16.0.0/16
    subnets:
      web: {cidr: 172.16.1.0/24, nic: internet}    #! InvalidNicType.ValueNotSupported :: VPC shop has intranet ones
      db: {cidr: 172.16.2.0/24, nic: intranet}
peerings: [[old, shop]]                            #! InvalidNetworkType.Mismatch :: old is the classic network
address_groups: {office: [203.0.113.0/24]}
port_lists: {web-ports: [80]}
groups:
  a:
    vpc: old
    rules:
      - in allow tcp 80 from 0.0.0.0/0 nic internet
      - in allow tcp 80 from group e
      - in allow tcp 22 from office         #! NotSupported.ClassicNetworkPrefixList :: address group office
      - in allow tcp web-ports from group e    #! NotSupported.ClassicNetworkPortList :: port list web-ports
      - in allow tcp 22 from group d        #! InvalidNetworkType.Mismatch :: a group of the classic network
  b: {vpc: old, type: advanced}             #! world.group_type :: the classic network has no advanced groups
  c: {vpc: shop, rules: [in allow tcp 80 from any nic internet]}    #! InvalidNicType.Mismatch :: leave out nic
  d: {vpc: shop}
  e: {vpc: old}
instances:
  x: {ports: {intra: {subnet: intra, ip: 10.0.1.11, groups: a}, inter: {subnet: inter, ip: 47.0.1.11, groups: [a, e]}}}
  y: {subnet: intra, ip: 10.0.1.12, groups: d}      #! InvalidNetworkType.Mismatch :: group d belongs to shop
  z: {subnet: db, ip: 172.16.2.12, groups: [d, a]}    #! InvalidNetworkType.Mismatch :: group a belongs to old
""",
    "a group of no VPC is none of the classic network": """\
switches: {classic_network: yes}
vpcs: {old: {cidrs: 10.0.0.0/16, network: classic, subnets: {net: 10.0.1.0/24}}}
groups: {sg: []}
instances: {x: {subnet: net, ip: 10.0.1.11, groups: sg}}    #! InvalidNetworkType.Mismatch :: names no VPC :: vpc: old
""",
    "nothing follows from a network that is not readable": """\
profile: alibaba
vpcs:
  old:
    cidrs: 10.0.0.0/16
    network: clasic         #! world.value :: network of VPC old is 'clasic' :: vpc or classic
    subnets: {net: {cidr: 10.0.1.0/24, nic: internet}}
groups:
  a: {vpc: old, rules: [in allow tcp 80 from 0.0.0.0/0 nic internet]}
  b: {vpc: odl, rules: [in allow tcp 80 from 0.0.0.0/0 nic internet]}    #! world.unknown_vpc
""",
}

PATH_ROWS = {**ACLS, **FIREWALLS, **HOLDERS, **RULES, **CLASSIC}
