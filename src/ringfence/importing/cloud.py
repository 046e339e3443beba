"""What each cloud means, as a profile with switches set, and what a world cannot say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ringfence.model.profile import ALIBABA, HUAWEI, OnChange, Profile, Timeouts
from ringfence.model.service import NO_SERVICES


class Cloud(StrEnum):
    """Whose semantics the world has."""

    AWS = "aws"
    ALIBABA = "alibaba"
    HUAWEI = "huawei"
    OPENSTACK = "openstack"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The profile that judges as a cloud does, and sentences on what is different all the same."""

    profile: Profile
    gaps: tuple[str, ...] = ()


# SEMANTICS.md 3.2: AWS remembers an established connection for five days, as Linux does.
_LINUX_TIMEOUTS = Timeouts(tcp_established=432_000)
_NO_ROUTES = (
    "routes, NAT and internet gateways are not modelled: the world asks as if each interface could be reached at its "
    "private address from everywhere in its network, and from the internet"
)

NO_MACHINES = (
    "no machine is in the world, so nobody reaches anybody in it; give the lists of instances or interfaces too "
    "(docs/import.md names them)"
)

_ALLOW_ONLY = (
    "profile huawei: rules allow only, the rules of all groups of an interface count together, what no rule allows is "
    "denied both ways, and groups may name themselves"
)
_AWS_SWITCHES = (
    "network ACLs are stateless (acl_stateful: false), a changed rule cuts no tracked connection (on_change: keep), "
    "timeouts are those of AWS, and nothing is blocked by carriers or the platform"
)
_AWS_EXEMPT = (
    "a network ACL of this profile lets 100.125.0.0/16, 224.0.0.0/24, 255.255.255.255 and tcp/80 to 169.254.169.254 "
    "pass before its lines, as Huawei's do; AWS lets DHCP, its resolver, the metadata and the time service pass"
)
_OPENSTACK_SWITCHES = (
    "a change cuts the connections that it denies (on_change: rejudge), timeouts are the kernel's, and nothing is "
    "blocked by carriers or the platform"
)

MEANINGS = {
    Cloud.AWS: Meaning(
        replace(
            HUAWEI,
            groups_per_port=16,
            rules_per_group=1000,
            rules_per_port=1000,
            group_rules_per_group=1000,
            acl_stateful=False,
            acls_need_vpc=True,
            acl_rules_per_direction=40,
            on_change=OnChange.KEEP,
            timeouts=_LINUX_TIMEOUTS,
            blocked_egress=NO_SERVICES,
            carrier_blocks=NO_SERVICES,
        ),
        (
            _ALLOW_ONLY,
            _AWS_SWITCHES,
            _NO_ROUTES,
            "AWS's own limit on tcp/25 to the internet, and connections that it does not track, are not modelled",
            _AWS_EXEMPT,
        ),
    ),
    Cloud.ALIBABA: Meaning(ALIBABA, ("profile alibaba, as it is", _NO_ROUTES)),
    Cloud.HUAWEI: Meaning(HUAWEI, ("profile huawei, as it is", _NO_ROUTES)),
    Cloud.OPENSTACK: Meaning(
        replace(
            HUAWEI,
            groups_per_port=1000,
            rules_per_group=1000,
            rules_per_port=10_000,
            group_rules_per_group=1000,
            address_group_entries=1000,
            on_change=OnChange.REJUDGE,
            timeouts=_LINUX_TIMEOUTS,
            blocked_egress=NO_SERVICES,
            carrier_blocks=NO_SERVICES,
        ),
        (_ALLOW_ONLY, _OPENSTACK_SWITCHES, _NO_ROUTES),
    ),
}
