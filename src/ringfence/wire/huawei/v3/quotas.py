"""Quotas of a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ringfence.control.checks import limit_of
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.request import Told

_NOT_OFFERED: Final = -1
_LIMITS: Final[Mapping[str, str]] = {
    "acl_policy_contain_rules": "acl_rules_per_direction",
    "address_group": "address_groups_per_account",
    "address_group_contain_ipset": "address_group_entries",
    "eni_contain_secgroup": "groups_per_port",
    "peering": "peerings_per_account",
    "secgroup_contain_rules": "rules_per_group",
    "secgroup_referred_by_nic": "members_per_group",
    "security_group": "groups_per_account",
    "vpc": "vpcs_per_account",
    "vpc_contain_virsubnet": "subnets_per_vpc",
}
_OTHERS: Final = (
    *("clouddcn_firewall_group", "clouddcn_acl_policy_contain_rules", "edge_gateway"),
    *("firewall_policy_contain_ipv4_composite_rules", "firewall_policy_contain_ipv6_composite_rules"),
    *("forward_policy", "forward_policy_contain_ports", "forward_rule", "roce_cluster_contain_networks"),
    *("rtb_allow_sys_cidr_routes", "shared_bandwidth", "shared_bandwidth_contain_publicip"),
    *("security_group_contain_egress_ipv4_composite_rules", "security_group_contain_egress_ipv6_composite_rules"),
    *("security_group_contain_ingress_ipv4_composite_rules", "security_group_contain_ingress_ipv6_composite_rules"),
    *("security_group_rule", "subnet_contain_eni", "traffic_mirror_filter"),
    *("traffic_mirror_filter_referred_by_session", "traffic_mirror_filter_contain_rules_each_direction"),
    *("traffic_mirror_session", "traffic_mirror_session_contain_sources"),
    *("traffic_mirror_source_referred_by_session", "traffic_mirror_target_elb_referred_by_session"),
    *("traffic_mirror_target_eni_referred_by_session", "vip", "virsubnet"),
    *("virsubnet_contain_ipv4_cidr_reservations", "virsubnet_contain_ipv6_cidr_reservations"),
    *("vpc_contain_eni", "vpc_contain_vip"),
)


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "show_quota",
        "GET",
        "/v3/{project_id}/vpc/quotas",
        "What the project may have at most; -1 of what is not limited, or not offered.",
        (ram.DESCRIBE_QUOTAS,),
        _show,
    )


def _show(call: Call) -> Told:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_QUOTAS, Kind.QUOTA)
    world = call.state.world
    found = {name: limit_of(world, call.project, limit) for name, limit in _LIMITS.items()}
    return {"quota": {**dict.fromkeys(_OTHERS, _NOT_OFFERED), **found}}
