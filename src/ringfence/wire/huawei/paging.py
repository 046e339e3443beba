"""Pages of lists in versions 1 and 2.0: ``limit`` items after the one with the id ``marker``, by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from ringfence.wire.huawei.operation import Call
from ringfence.wire.request import Told


def plain_page(call: Call, items: list[dict[str, Any]], key: str) -> Told:
    """A page of version 1, which does not say whether there are more."""
    return {key: call.page(items, key)[key]}


def linked_page(call: Call, items: list[dict[str, Any]], key: str) -> Told:
    """A page of version 2.0, with the address of the next one under ``…_links``. There is no way to page back."""
    page = call.page(items, key)
    more = page["page_info"].get("next_marker")
    return {key: page[key], f"{key}_links": [_link(call, more)] if more else []}


def _link(call: Call, marker: str) -> dict[str, str]:
    path = call.operation.path.format(**call.path)
    query: list[tuple[str, Sequence[str] | str]] = [(name, values) for name, values in call.query.items()]
    said = [pair for pair in query if pair[0] != "marker"]
    return {"rel": "next", "href": f"{call.origin}{path}?{urlencode([*said, ('marker', marker)], doseq=True)}"}
