"""By which of their fields resources are looked for."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.resources.kind import Kind

FILTERS: Mapping[Kind, tuple[str, ...]] = {
    Kind.SUBNET: ("vpc",),
    Kind.GROUP: ("vpc", "type", "managed"),
    Kind.RULE: ("group", "direction", "action", "remote"),
    Kind.ACL: ("vpc",),
    Kind.PORT: ("instance", "subnet", "vpc", "groups", "addresses"),
    Kind.VIRTUAL_IP: ("subnet", "vpc"),
    Kind.PENALTY: ("instance", "port"),
    Kind.ACCESS_KEY: ("user",),
    Kind.ADDRESS_GROUP: ("entries", "family"),
    Kind.PORT_LIST: ("entries",),
}
"""Fields by which a list can be narrowed, besides name and tags; of a list field, one of its items."""
