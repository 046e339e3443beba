"""What SDKs ask before they ask for anything else: the id of the project, and the versions of the API."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.request import Told

VERSIONS = ("v1", "v2.0", "v3")


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "keystone_list_projects",
        "GET",
        "/v3/projects",
        "The project of the key, which is its account, by the name of the region that is asked for.",
        (),
        _projects,
        query=("name", "domain_id", "enabled", "parent_id", "page", "per_page", "is_domain"),
        own=True,
    )
    yield Operation("list_api_version", "GET", "/", "The versions that are served.", (), _versions, own=True)


def _projects(call: Call) -> Told:
    region = call.service.region
    name = call.one("name") or call.control.region
    found = [{"id": call.project, "name": name, "enabled": True}] if name == region or not region else []
    return {"projects": found, "links": {}}


def _versions(call: Call) -> Told:
    return {"versions": versions(call.origin)}


def versions(origin: str) -> list[dict[str, object]]:
    """The versions that are served, with their addresses."""
    return [
        {"id": version, "status": "CURRENT", "links": [{"rel": "self", "href": f"{origin}/{version}/"}]}
        for version in VERSIONS
    ]
