"""Regions and zones: there is one of each, by whatever name the server has."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.wire.alibaba.operation import Call, Field, Operation, Product
from ringfence.wire.request import Told

ZONE = "a"
"""The zone that everything is in, after the region's name."""


def operations() -> Iterator[Operation]:
    """The operations."""
    both = frozenset({"AcceptLanguage", "InstanceChargeType"})
    doc, ignored = "The regions that are served: one.", both | {"ResourceType"}
    yield Operation("DescribeRegions", Product.ECS, doc, (), _regions, ignored=ignored, own=True)
    doc, ignored = "The zones of the region: one.", both | {"SpotStrategy", "Verbose"}
    yield Operation(
        "DescribeZones", Product.ECS, doc, (), _zones, (Field("RegionId", required=True),), ignored, own=True
    )


def zone_of(call: Call) -> str:
    """The zone that a request is told."""
    return f"{call.region}-{ZONE}"


def is_zone(call: Call, text: str) -> bool:
    """Whether a text is the zone; where neither request nor server says a region, it may be any region's."""
    any_region = not call.service.region and "RegionId" not in call.said
    return text == zone_of(call) or (any_region and text.endswith(f"-{ZONE}"))


def _regions(call: Call) -> Told:
    region = {"RegionId": call.region, "RegionEndpoint": call.host, "LocalName": call.region, "Status": "available"}
    return {"Regions": {"Region": [region]}}


def _zones(call: Call) -> Told:
    call.said.required("RegionId")
    zone = zone_of(call)
    return {"Zones": {"Zone": [{"ZoneId": zone, "LocalName": zone, "ZoneType": "AvailabilityZone"}]}}
