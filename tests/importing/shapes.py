"""Configurations as clouds and tools print them, with many rules: each a set of files by their names.

Written for these tests. The shapes are those of ``aws ec2 describe-*`` in public write-ups and in tests of cloud
scanners, of the answers in Alibaba's API pages and Huawei's SDK, of neutron's API tests and of ``openstack ... list -f
json`` in public scripts, and of Terraform states in public repositories; names, ids and rules are our own.
"""

from __future__ import annotations

from typing import Any

Doc = dict[str, Any]
Files = dict[str, Any]

MANY = 60
"""So many rules are in the large group of each configuration."""


def _permission(protocol: str, first: int | None = None, last: int | None = None, **to: Any) -> Doc:
    ports = {} if first is None else {"FromPort": first, "ToPort": last if last is not None else first}
    empty: Doc = {"IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}
    return {"IpProtocol": protocol, **ports, **empty, **to}


def cidr(*texts: str) -> Doc:
    """IPv4 ranges of a permission of AWS."""
    return {"IpRanges": [{"CidrIp": text, "Description": f"from {text}"} for text in texts]}


def pair(*ids: str) -> Doc:
    """Groups that a permission of AWS names."""
    return {"UserIdGroupPairs": [{"GroupId": id_, "UserId": "123456789012"} for id_ in ids]}


def aws_group(id_: str, name: str, inward: list[Doc], outward: list[Doc] | None = None, vpc: str = "vpc-0a") -> Doc:
    """One of ``SecurityGroups``."""
    everything = [_permission("-1", **cidr("0.0.0.0/0"))]
    return {
        "Description": f"{name} servers",
        "GroupName": name,
        "IpPermissions": inward,
        "OwnerId": "123456789012",
        "GroupId": id_,
        "IpPermissionsEgress": everything if outward is None else outward,
        "Tags": [{"Key": "Name", "Value": name}],
        "VpcId": vpc,
        "SecurityGroupArn": f"arn:aws:ec2:eu-central-1:123456789012:security-group/{id_}",
    }


def _eni(id_: str, subnet: str, address: str, *groups: str, order: int = 0, **more: Any) -> Doc:
    return {
        "Attachment": {"AttachmentId": f"eni-attach-{id_}", "DeviceIndex": order, "Status": "attached"},
        "Description": "",
        "Groups": [{"GroupName": "-", "GroupId": group} for group in groups],
        "Ipv6Addresses": [],
        "MacAddress": "02:00:00:00:00:01",
        "NetworkInterfaceId": id_,
        "OwnerId": "123456789012",
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address}],
        "SourceDestCheck": True,
        "Status": "in-use",
        "SubnetId": subnet,
        "VpcId": "vpc-0a",
        "InterfaceType": "interface",
        **more,
    }


def _instance(id_: str, name: str, *enis: Doc) -> Doc:
    return {
        "InstanceId": id_,
        "ImageId": "ami-0123",
        "InstanceType": "t3.micro",
        "State": {"Code": 16, "Name": "running"},
        "Tags": [{"Key": "Name", "Value": name}],
        "NetworkInterfaces": list(enis),
        "SecurityGroups": [],
    }


def _entry(number: int, action: str, egress: bool, protocol: str = "-1", block: str = "0.0.0.0/0", **more: Any) -> Doc:
    rest = {"Egress": egress, "Protocol": protocol, "RuleAction": action, "RuleNumber": number}
    return {("Ipv6CidrBlock" if ":" in block else "CidrBlock"): block, **rest, **more}


def _ports(first: int, last: int) -> Doc:
    return {"PortRange": {"From": first, "To": last}}


def aws() -> Files:
    """Five answers of AWS about one VPC and its machines, and one about its network ACLs."""
    many = [_permission("tcp", 10_000 + n, **cidr(f"198.51.100.{n}/32")) for n in range(MANY)]
    web = [
        _permission("tcp", 80, **cidr("0.0.0.0/0"), Ipv6Ranges=[{"CidrIpv6": "::/0"}]),
        _permission("tcp", 22, **cidr("203.0.113.7/32", "203.0.113.64/26"), PrefixListIds=[{"PrefixListId": "pl-0a"}]),
        _permission("icmp", 8, -1, **cidr("10.0.0.0/16")),
        _permission("icmp", -1, -1, **cidr("10.0.0.0/8")),
        _permission("-1", **pair("sg-0web")),
    ]
    db = [_permission("tcp", 3306, **pair("sg-0web", "sg-0far")), _permission("udp", 0, 65535, **pair("sg-0db"))]
    groups = [
        aws_group("sg-0web", "web", web),
        aws_group("sg-0db", "db", db, []),
        aws_group("sg-0many", "many", many),
        aws_group("sg-0def", "default", [_permission("-1", **pair("sg-0def"))]),
        aws_group("sg-0def2", "default", [_permission("-1", **pair("sg-0def2"))], vpc="vpc-0b"),
    ]
    public: Doc = {"Association": {"PublicIp": "192.0.2.44", "IpOwnerId": "amazon"}}
    instances = [
        _instance("i-0web", "web 1", _eni("eni-0w", "subnet-0a", "10.0.1.11", "sg-0web", "sg-0many", **public)),
        _instance("i-0db", "db-1", _eni("eni-0d", "subnet-0b", "10.0.2.21", "sg-0db")),
    ]
    lines = [
        _entry(200, "allow", False, "6", **_ports(80, 80)),
        _entry(100, "deny", False, block="198.51.100.0/24"),
        _entry(300, "allow", False, "6", "10.0.0.0/16", **_ports(1024, 65535)),
        _entry(310, "deny", False, "1", "10.0.0.0/16", IcmpTypeCode={"Type": 8, "Code": -1}),
        _entry(320, "allow", False, "1", "10.0.0.0/16", IcmpTypeCode={"Type": -1, "Code": -1}),
        _entry(32767, "deny", False),
        _entry(100, "allow", True),
        _entry(101, "allow", True, block="::/0"),
        _entry(32767, "deny", True),
        _entry(32768, "deny", True, block="::/0"),
    ]
    acl = {
        "Associations": [{"NetworkAclAssociationId": "aclassoc-1", "NetworkAclId": "acl-0a", "SubnetId": "subnet-0a"}],
        "Entries": lines,
        "IsDefault": False,
        "NetworkAclId": "acl-0a",
        "Tags": [],
        "VpcId": "vpc-0a",
        "OwnerId": "123456789012",
    }
    subnets = [
        {"SubnetId": f"subnet-0{name}", "VpcId": "vpc-0a", "CidrBlock": block, "AvailableIpAddressCount": 250}
        for name, block in (("a", "10.0.1.0/24"), ("b", "10.0.2.0/24"))
    ]
    lb = _eni("eni-0lb", "subnet-0a", "10.0.1.40", "sg-0def", Attachment={"InstanceOwnerId": "amazon-elb"})
    lb["Description"] = "ELB app/front/0123"
    free = _eni("eni-0free", "subnet-0a", "10.0.1.50", "sg-0def", Status="available")
    del free["Attachment"]
    return {
        "security-groups.json": {"SecurityGroups": groups},
        "instances.json": {"Reservations": [{"ReservationId": "r-1", "Groups": [], "Instances": instances}]},
        "interfaces.json": {"NetworkInterfaces": [_eni("eni-0d", "subnet-0b", "10.0.2.21", "sg-0db"), lb, free]},
        "subnets.json": {"Subnets": subnets},
        "vpcs.json": {
            "Vpcs": [{"VpcId": "vpc-0a", "CidrBlock": "10.0.0.0/16", "IsDefault": False, "State": "available"}]
        },
        "acls.json": {"NetworkAcls": [acl]},
    }


# ---- Alibaba Cloud


def permission(direction: str, protocol: str, ports: str, **more: Any) -> Doc:
    """One ``Permission``, with all the empty fields that the API tells."""
    names = "SourceCidrIp Ipv6SourceCidrIp SourceGroupId SourceGroupName SourceGroupOwnerAccount SourcePrefixListId"
    names += " SourcePrefixListName DestCidrIp Ipv6DestCidrIp DestGroupId DestGroupName DestGroupOwnerAccount"
    names += " DestPrefixListId DestPrefixListName SourcePortRange Description PortRangeListId PortRangeListName"
    head = {"Direction": direction, "IpProtocol": protocol, "PortRange": ports, "Policy": "Accept", "Priority": 1}
    return {
        **dict.fromkeys(names.split(), ""),
        **head,
        "NicType": "intranet",
        "CreateTime": "2021-04-29T22:40:41Z",
        **more,
    }


def attribute(id_: str, *permissions: Doc, inner: str = "Accept", vpc: str = "vpc-bp1") -> Doc:
    """An answer of DescribeSecurityGroupAttribute."""
    listed = [{**each, "SecurityGroupRuleId": f"sgr-{id_}-{n}"} for n, each in enumerate(permissions)]
    return {
        "SecurityGroupId": id_,
        "SecurityGroupName": id_.replace("sg-bp1", ""),
        "Description": "",
        "InnerAccessPolicy": inner,
        "Permissions": {"Permission": listed},
        "RegionId": "cn-hangzhou",
        "RequestId": "68C5FDBC-64DE-58B5-BA3F-7EF4DDD0AA82",
        "VpcId": vpc,
    }


def alibaba() -> Files:
    """Groups, their rules, and where the machines are."""
    any_ = {"SourceCidrIp": "0.0.0.0/0"}
    many = [permission("ingress", "TCP", f"{20_000 + n}/{20_000 + n}", SourceCidrIp="10.0.0.0/8") for n in range(MANY)]
    web = attribute(
        "sg-bp1web",
        permission("ingress", "TCP", "80/80", **any_),
        permission("ingress", "TCP", "22/22", **any_, Policy="Drop", Priority=2),
        permission("ingress", "TCP", "22/22", SourceCidrIp="203.0.113.7"),
        permission("ingress", "ICMP", "-1/-1", **any_, Priority="110", Description="System created rule."),
        permission("ingress", "ALL", "-1/-1", SourceGroupId="sg-bp1far", SourceGroupOwnerAccount="other@example.com"),
        permission("ingress", "TCP", "443/443", Ipv6SourceCidrIp="::/0"),
        permission("ingress", "TCP", "8080/8080", SourceCidrIp="10.0.0.0/8", DestCidrIp="10.0.1.11/32"),
        permission("egress", "ALL", "-1/-1", DestCidrIp="192.0.2.0/24", Policy="Drop"),
    )
    db = attribute(
        "sg-bp1db",
        permission("ingress", "TCP", "3306/3306", SourceGroupId="sg-bp1web"),
        permission("ingress", "TCP", "6379/6379", SourcePrefixListId="pl-bp1"),
        *many,
        inner="Drop",
    )
    groups = [
        {
            "SecurityGroupId": f"sg-bp1{name}",
            "SecurityGroupName": name,
            "VpcId": "vpc-bp1",
            "SecurityGroupType": "normal",
        }
        for name in ("web", "db", "quiet")
    ]
    interfaces = [
        _alibaba_eni("eni-bp1w", "i-bp1web", "vsw-bp1a", "10.0.1.11", "sg-bp1web"),
        _alibaba_eni("eni-bp1d", "i-bp1db", "vsw-bp1b", "10.0.2.21", "sg-bp1db"),
    ]
    web_1: Doc = {
        "InstanceId": "i-bp1web",
        "InstanceName": "web-1",
        "SecurityGroupIds": {"SecurityGroupId": ["sg-bp1web"]},
        "VpcAttributes": {
            "VpcId": "vpc-bp1",
            "VSwitchId": "vsw-bp1a",
            "PrivateIpAddress": {"IpAddress": ["10.0.1.11"]},
        },
        "EipAddress": {"IpAddress": "47.96.1.2"},
        "PublicIpAddress": {"IpAddress": []},
        "InnerIpAddress": {"IpAddress": []},
        "NetworkInterfaces": {"NetworkInterface": [{"NetworkInterfaceId": "eni-bp1w", "Type": "Primary"}]},
        "Status": "Running",
    }
    switches = [
        {"VSwitchId": f"vsw-bp1{name}", "VpcId": "vpc-bp1", "CidrBlock": block, "VSwitchName": f"net.{name}"}
        for name, block in (("a", "10.0.1.0/24"), ("b", "10.0.2.0/24"))
    ]
    page = {"PageNumber": 1, "PageSize": 10, "RequestId": "1"}
    return {
        "groups.json": {"SecurityGroups": {"SecurityGroup": groups}, "TotalCount": 3, **page},
        "attributes.json": [web, db],
        "instances.json": {"Instances": {"Instance": [web_1]}, "TotalCount": 2, **page},
        "interfaces.json": {"NetworkInterfaceSets": {"NetworkInterfaceSet": interfaces}, "TotalCount": 2, **page},
        "vswitches.json": {"VSwitches": {"VSwitch": switches}, "TotalCount": 2, **page},
        "vpcs.json": {"Vpcs": {"Vpc": [{"VpcId": "vpc-bp1", "VpcName": "shop", "CidrBlock": "10.0.0.0/16"}]}, **page},
    }


def _alibaba_eni(id_: str, machine: str, switch: str, address: str, group: str) -> Doc:
    return {
        "NetworkInterfaceId": id_,
        "InstanceId": machine,
        "VpcId": "vpc-bp1",
        "VSwitchId": switch,
        "Type": "Primary",
        "Status": "InUse",
        "PrivateIpAddress": address,
        "PrivateIpSets": {"PrivateIpSet": [{"PrivateIpAddress": address, "Primary": True}]},
        "SecurityGroupIds": {"SecurityGroupId": [group]},
    }


# ---- Huawei Cloud and OpenStack


def huawei_rule(id_: str, group: str, **said: Any) -> Doc:
    """One of ``security_group_rules`` of v3."""
    nothing = dict.fromkeys(("protocol", "multiport", "remote_ip_prefix", "remote_group_id", "remote_address_group_id"))
    head = {"id": id_, "security_group_id": group, "direction": "ingress", "ethertype": "IPv4", "description": ""}
    tail = {"action": "allow", "priority": 1, "project_id": "p1", "created_at": "2023-04-03T13:24:55Z", "enabled": True}
    return {**head, **nothing, **tail, **said}


def _huawei_port(id_: str, machine: str, subnet: str, address: str, *groups: str, **more: Any) -> Doc:
    return {
        "id": id_,
        "name": "",
        "admin_state_up": True,
        "network_id": subnet,
        "fixed_ips": [{"subnet_id": f"neutron-{subnet}", "ip_address": address}],
        "security_groups": list(groups),
        "device_id": machine,
        "device_owner": "compute:az1",
        "allowed_address_pairs": [],
        "tenant_id": "p1",
        **more,
    }


def huawei() -> Files:
    """Lists of v3 and v1."""
    rules = [
        huawei_rule("r-1", "g-web", protocol="tcp", multiport="80,443", remote_ip_prefix="0.0.0.0/0"),
        huawei_rule("r-2", "g-web", protocol="tcp", multiport="22", action="deny", priority=2),
        huawei_rule("r-3", "g-web", protocol="tcp", multiport="22", remote_address_group_id="ag-office"),
        huawei_rule("r-4", "g-web", remote_group_id="g-web", ethertype="IPv6"),
        huawei_rule("r-5", "g-web", direction="egress", enabled=False),
        huawei_rule("r-6", "g-db", protocol="tcp", multiport="3306", remote_group_id="g-web"),
        huawei_rule("r-7", "g-db", protocol="icmp", remote_ip_prefix="10.0.0.0/8"),
        huawei_rule("r-8", "g-db", direction="egress"),
        huawei_rule("r-9", "g-web", direction="egress", protocol="tcp", multiport="3306"),
        huawei_rule("r-10", "g-db", protocol="gre", remote_ip_prefix="10.0.0.0/8"),
    ]
    rules += [
        huawei_rule(f"m-{n}", "g-many", protocol="udp", multiport=f"{30_000 + n}", remote_ip_prefix="10.1.0.0/16")
        for n in range(MANY)
    ]
    groups: list[Doc] = [
        {
            "id": f"g-{name}",
            "name": name,
            "description": "",
            "project_id": "p1",
            "enterprise_project_id": "0",
            "tags": [],
        }
        for name in ("web", "db", "many")
    ]
    line = {"name": "", "description": "", "protocol": "tcp", "ip_version": 4, "enabled": True, "source_port": ""}
    any_ = {"source_ip_address": "0.0.0.0/0", "destination_ip_address": "0.0.0.0/0", "destination_port": ""}
    firewall: Doc = {
        "id": "acl-1",
        "name": "edge",
        "admin_state_up": True,
        "status": "ACTIVE",
        "ingress_rules": [
            {**line, **any_, "id": "l-1", "action": "deny", "destination_port": "23"},
            {**line, **any_, "id": "l-2", "action": "allow", "protocol": "any"},
        ],
        "egress_rules": [{**line, **any_, "id": "l-3", "action": "allow", "protocol": "any"}],
        "associations": [{"virsubnet_id": "net-a"}],
    }
    office: Doc = {"id": "ag-office", "name": "office", "ip_version": 4, "max_capacity": 20}
    office["ip_extra_set"] = [{"ip": "203.0.113.0/24", "remarks": None}, {"ip": "198.51.100.20-198.51.100.29"}]
    subnets = [
        {"id": f"net-{name}", "name": f"net-{name}", "cidr": block, "vpc_id": "vpc-1", "gateway_ip": "10.0.1.1"}
        for name, block in (("a", "10.0.1.0/24"), ("b", "10.0.2.0/24"))
    ]
    ports = [
        _huawei_port("p-1", "vm-web", "net-a", "10.0.1.11", "g-web"),
        _huawei_port("p-2", "vm-db", "net-b", "10.0.2.21", "g-db", "g-many"),
        _huawei_port("p-3", "", "net-a", "10.0.1.100", device_owner="neutron:VIP_PORT"),
    ]
    return {
        "rules.json": {"security_group_rules": rules, "page_info": {"current_count": 1}, "request_id": "1"},
        "groups.json": {"security_groups": groups, "page_info": {"current_count": 1}, "request_id": "1"},
        "address-groups.json": {"address_groups": [office], "request_id": "1"},
        "vpcs.json": {"vpcs": [{"id": "vpc-1", "name": "shop", "cidr": "10.0.0.0/16", "status": "OK"}]},
        "subnets.json": {"subnets": [{**each, "cidr_v6": None, "neutron_subnet_id": "n"} for each in subnets]},
        "ports.json": {"ports": [{**each, "enterprise_project_id": "0"} for each in ports]},
        "acl.json": {"firewall": firewall, "request_id": "1"},
    }


def openstack_rule(id_: str, group: str, **said: Any) -> Doc:
    """One of ``security_group_rules`` of neutron."""
    nothing = dict.fromkeys(("protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id"))
    head = {"id": id_, "security_group_id": group, "direction": "ingress", "ethertype": "IPv4", "description": ""}
    return {**head, **nothing, "remote_address_group_id": None, "tenant_id": "p", "revision_number": 0, **said}


def openstack_api() -> Files:
    """Answers of neutron, rules inside of their groups."""
    web = [
        openstack_rule("1", "g1", protocol="tcp", port_range_min=80, port_range_max=80, remote_ip_prefix="0.0.0.0/0"),
        openstack_rule("2", "g1", protocol="icmp", port_range_min=8, port_range_max=0, remote_ip_prefix="10.0.0.9/24"),
        openstack_rule("3", "g1", remote_group_id="g1", ethertype="IPv6"),
        openstack_rule("4", "g1", direction="egress"),
        openstack_rule("5", "g1", direction="egress", ethertype="IPv6"),
        openstack_rule("6", "g1", protocol="sctp", port_range_min=5000, port_range_max=5001),
        openstack_rule("7", "g1", protocol="ipv6-icmp", ethertype="IPv6"),
    ]
    db = [openstack_rule("8", "g2", protocol="tcp", port_range_min=5432, port_range_max=5433, remote_group_id="g1")]
    db += [
        openstack_rule(f"m{n}", "g2", protocol="udp", port_range_min=n + 1, port_range_max=n + 1) for n in range(MANY)
    ]
    groups = [
        {
            "id": id_,
            "name": name,
            "stateful": True,
            "shared": False,
            "revision_number": 1,
            "security_group_rules": rules,
        }
        for id_, name, rules in (("g1", "web", web), ("g2", "db", db))
    ]
    subnets = [
        {"id": "s1", "name": "four", "cidr": "10.0.1.0/24", "network_id": "n1", "ip_version": 4},
        {"id": "s2", "name": "six", "cidr": "fd00:1::/64", "network_id": "n1", "ip_version": 6},
    ]
    ports = [
        _neutron_port("p1", "vm1", [("s1", "10.0.1.11"), ("s2", "fd00:1::11")], ["g1"]),
        _neutron_port("p2", "vm2", [("s1", "10.0.1.12")], ["g2"]),
        _neutron_port("p3", "vm3", [("s1", "10.0.1.13")], [], port_security_enabled=False),
        _neutron_port("p4", "vm4", [("s1", "10.0.1.14")], []),
        _neutron_port("p5", "r", [("s1", "10.0.1.1")], [], device_owner="network:router_interface"),
    ]
    return {
        "ports.json": {"ports": ports},
        "groups.json": {"security_groups": groups},
        "subnets.json": {"subnets": subnets},
    }


def _neutron_port(id_: str, machine: str, fixed: list[tuple[str, str]], groups: list[str], **more: Any) -> Doc:
    return {
        "id": id_,
        "device_id": machine,
        "device_owner": "compute:nova",
        "network_id": "n1",
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address} for subnet, address in fixed],
        "security_groups": groups,
        "port_security_enabled": True,
        "revision_number": 2,
        "allowed_address_pairs": [],
        **more,
    }


def openstack_cli() -> Files:
    """What the command line prints."""

    def row(id_: str, group: str, protocol: str | None, ports: str = "", **more: Any) -> Doc:
        head = {"ID": id_, "IP Protocol": protocol, "Ethertype": "IPv4", "IP Range": "0.0.0.0/0", "Port Range": ports}
        far = {"Remote Security Group": None, "Remote Address Group": None}
        return {**head, "Direction": "ingress", **far, "Security Group": group, **more}

    rules = [
        row("1", "g1", "tcp", "22:22"),
        row("2", "g1", "icmp", "type=8:code=0"),
        row("3", "g1", None, Direction="egress"),
        row("4", "g1", None, **{"IP Range": "::/0", "Ethertype": "IPv6", "Direction": "egress"}),
        row("5", "g2", "tcp", "5432:5432", **{"IP Range": None, "Remote Security Group": "g1"}),
        *(row(f"m{n}", "g2", "udp", f"{n + 1}:{n + 1}", **{"IP Range": "10.0.0.0/8"}) for n in range(MANY)),
    ]
    fixed = [{"subnet_id": "s1", "ip_address": "10.0.1.11"}]
    head = {"Name": "p", "MAC Address": "fa:16:3e:00:00:01", "Status": "ACTIVE", "Device Owner": "compute:nova"}
    return {
        "rules.json": rules,
        "groups.json": [
            {"ID": id_, "Name": name, "Description": "", "Project": "p", "Tags": []}
            for id_, name in (("g1", "web"), ("g2", "db"))
        ],
        "ports.json": [
            {"ID": "p1", **head, "Fixed IP Addresses": fixed, "Security Groups": ["g1"]},
            {
                "ID": "p2",
                **head,
                "Fixed IP Addresses": "ip_address='10.0.1.12', subnet_id='s1'",
                "Security Groups": "g2",
            },
        ],
        "subnets.json": [{"ID": "s1", "Name": "four", "Network": "n1", "Subnet": "10.0.1.0/24"}],
    }


# ---- Terraform


def state(*resources: tuple[str, Doc], mode: str = "managed") -> Doc:
    """What ``terraform show -json`` prints; every second resource is in a module."""
    told = [
        {"address": f"{type_}.it{n}", "mode": mode, "type": type_, "name": f"it{n}", "values": values}
        for n, (type_, values) in enumerate(resources)
    ]
    module = {"resources": told[1::2], "address": "module.net"}
    root = {"resources": told[::2], "child_modules": [module]}
    return {"format_version": "1.0", "terraform_version": "1.9.8", "values": {"root_module": root}}


def state_file(*resources: tuple[str, Doc]) -> Doc:
    """The state itself."""
    told = [
        {"mode": "managed", "type": type_, "name": f"it{n}", "instances": [{"schema_version": 0, "attributes": values}]}
        for n, (type_, values) in enumerate(resources)
    ]
    return {"version": 4, "terraform_version": "1.9.8", "serial": 3, "lineage": "1", "outputs": {}, "resources": told}


def _block(protocol: str, first: int, last: int, **more: Any) -> Doc:
    empty: Doc = {
        "cidr_blocks": [],
        "ipv6_cidr_blocks": [],
        "prefix_list_ids": [],
        "security_groups": [],
        "self": False,
    }
    return {**empty, "protocol": protocol, "from_port": first, "to_port": last, "description": "", **more}


def terraform_aws_resources() -> list[tuple[str, Doc]]:
    """Groups with blocks, and rules of both younger kinds; one rule is told twice, as Terraform does."""
    ssh: Doc = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["203.0.113.0/24"]}
    group: Doc = {
        "id": "sg-1",
        "name": "web",
        "description": "Managed by Terraform",
        "vpc_id": "vpc-1",
        "tags": None,
        "ingress": [
            _block("tcp", 80, 80, cidr_blocks=["0.0.0.0/0"], ipv6_cidr_blocks=["::/0"], self=True),
            _block("tcp", 22, 22, cidr_blocks=["203.0.113.0/24"]),
        ],
        "egress": [_block("-1", 0, 0, cidr_blocks=["0.0.0.0/0"])],
    }
    younger: Doc = {
        "id": "sgr-1",
        "security_group_rule_id": "sgr-1",
        "security_group_id": "sg-1",
        "ip_protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "cidr_ipv4": "0.0.0.0/0",
        "cidr_ipv6": None,
        "prefix_list_id": None,
        "referenced_security_group_id": None,
        "description": None,
        "tags": None,
        "tags_all": {},
    }
    many = [
        (
            "aws_vpc_security_group_ingress_rule",
            {**younger, "security_group_rule_id": f"sgr-m{n}", "from_port": 9000 + n, "to_port": 9000 + n},
        )
        for n in range(MANY)
    ]
    return [
        ("aws_vpc", {"id": "vpc-1", "cidr_block": "10.0.0.0/16", "ipv6_cidr_block": "", "tags": {"Name": "shop"}}),
        ("aws_subnet", {"id": "subnet-1", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24", "tags": None}),
        ("aws_security_group", group),
        ("aws_security_group_rule", {"id": "sgrule-1", "type": "ingress", "security_group_id": "sg-1", **ssh}),
        ("aws_vpc_security_group_ingress_rule", younger),
        (
            "aws_vpc_security_group_egress_rule",
            {**younger, "id": "sgr-2", "security_group_rule_id": "sgr-2", "ip_protocol": "-1", "from_port": None}
            | {"to_port": None, "cidr_ipv4": "10.0.0.0/8"},
        ),
        (
            "aws_instance",
            {"id": "i-1", "subnet_id": "subnet-1", "private_ip": "10.0.1.11", "vpc_security_group_ids": ["sg-1"]}
            | {"tags": {"Name": "web-1"}, "public_ip": "", "ami": "ami-1", "ipv6_addresses": []},
        ),
        ("aws_s3_bucket", {"id": "bucket", "arn": "arn:aws:s3:::bucket"}),
        *many,
    ]


def terraform_alicloud_resources() -> list[tuple[str, Doc]]:
    """Alibaba Cloud's."""
    rule: Doc = {"type": "ingress", "ip_protocol": "tcp", "nic_type": "intranet", "policy": "accept", "priority": 1}
    rule |= {"security_group_id": "sg-1", "prefix_list_id": "", "source_security_group_id": "", "ipv6_cidr_ip": ""}
    many = [
        ("alicloud_security_group_rule", {**rule, "port_range": f"{9000 + n}/{9000 + n}", "cidr_ip": "10.0.0.0/8"})
        for n in range(MANY)
    ]
    return [
        ("alicloud_vpc", {"id": "vpc-1", "vpc_name": "shop", "cidr_block": "10.0.0.0/16"}),
        ("alicloud_vswitch", {"id": "vsw-1", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24", "vswitch_name": "a"}),
        ("alicloud_security_group", {"id": "sg-1", "name": "web", "vpc_id": "vpc-1", "inner_access_policy": "Drop"}),
        ("alicloud_security_group_rule", {**rule, "port_range": "22/22", "cidr_ip": "0.0.0.0/0", "policy": "drop"}),
        ("alicloud_security_group_rule", {**rule, "port_range": "80/80", "cidr_ip": "0.0.0.0/0"}),
        *many,
        (
            "alicloud_instance",
            {"id": "i-1", "instance_name": "web-1", "vswitch_id": "vsw-1", "private_ip": "10.0.1.11"}
            | {"security_groups": ["sg-1"], "image_id": "centos"},
        ),
    ]


def terraform_huawei_resources() -> list[tuple[str, Doc]]:
    """Huawei Cloud's."""
    rule: Doc = {
        "security_group_id": "sg-1",
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "ports": "",
    }
    rule |= {"port_range_min": 0, "port_range_max": 0, "remote_ip_prefix": "0.0.0.0/0", "remote_group_id": ""}
    rule |= {"action": "allow", "priority": 1, "remote_address_group_id": ""}
    many = [
        ("huaweicloud_networking_secgroup_rule", {**rule, "id": f"m{n}", "ports": f"{9000 + n}"}) for n in range(MANY)
    ]
    own: Doc = {**rule, "id": "r-1", "protocol": "", "remote_ip_prefix": "", "direction": "egress"}
    del own["security_group_id"]
    return [
        ("huaweicloud_vpc", {"id": "vpc-1", "name": "shop", "cidr": "10.0.0.0/16"}),
        ("huaweicloud_vpc_subnet", {"id": "net-1", "name": "a", "cidr": "10.0.1.0/24", "vpc_id": "vpc-1"}),
        ("huaweicloud_networking_secgroup", {"id": "sg-1", "name": "web", "description": "", "rules": [own]}),
        ("huaweicloud_networking_secgroup_rule", {**rule, "id": "r-2", "port_range_min": 22, "port_range_max": 22}),
        (
            "huaweicloud_networking_secgroup_rule",
            {**rule, "id": "r-3", "ports": "80,443", "action": "deny", "priority": 5},
        ),
        *many,
        (
            "huaweicloud_compute_instance",
            {"id": "vm-1", "name": "web-1", "security_group_ids": ["sg-1"], "public_ip": ""}
            | {"network": [{"uuid": "net-1", "port": "p-1", "fixed_ip_v4": "10.0.1.11", "fixed_ip_v6": ""}]},
        ),
    ]


def terraform_openstack_resources() -> list[tuple[str, Doc]]:
    """OpenStack's."""
    rule: Doc = {"security_group_id": "g-1", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp"}
    rule |= {"port_range_min": 0, "port_range_max": 0, "remote_ip_prefix": "", "remote_group_id": "", "region": "R"}
    kind = "openstack_networking_secgroup_rule_v2"
    many = [(kind, {**rule, "id": f"m{n}", "port_range_min": n + 1, "port_range_max": n + 1}) for n in range(MANY)]
    return [
        ("openstack_networking_subnet_v2", {"id": "s-1", "name": "a", "cidr": "10.0.1.0/24", "network_id": "n-1"}),
        ("openstack_networking_secgroup_v2", {"id": "g-1", "name": "web", "description": "", "all_tags": []}),
        (kind, {**rule, "id": "r-1", "protocol": "", "direction": "egress"}),
        (kind, {**rule, "id": "r-2", "port_range_min": 22, "port_range_max": 22, "remote_group_id": "g-1"}),
        *many,
        (
            "openstack_compute_instance_v2",
            {"id": "vm-1", "name": "web-1", "security_groups": ["web"]}
            | {"network": [{"uuid": "n-1", "name": "net", "port": "", "fixed_ip_v4": "10.0.1.11", "fixed_ip_v6": ""}]},
        ),
    ]


ALL: dict[str, Files] = {
    "aws": aws(),
    "alibaba": alibaba(),
    "huawei": huawei(),
    "openstack-api": openstack_api(),
    "openstack-cli": openstack_cli(),
    "terraform-aws": {"state.json": state(*terraform_aws_resources())},
    "terraform-aws-file": {"terraform.tfstate": state_file(*terraform_aws_resources())},
    "terraform-alicloud": {"state.json": state(*terraform_alicloud_resources())},
    "terraform-huawei": {"state.json": state(*terraform_huawei_resources())},
    "terraform-openstack": {"state.json": state(*terraform_openstack_resources())},
}
"""Every configuration by its name."""
