"""Version 2.0: tags of security groups through the SDK."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.cloud import Cloud
from tests.wire.huawei.calling import Table, ask, check
from tests.wire.huawei.v1.test_groups import a_group
from tests.wire.proving import proves

pytestmark = pytest.mark.packets


@proves(
    *(f"huawei v2.0 {it}_security_group_tag" for it in ("create", "delete")),
    *(f"huawei v2.0 {it}_security_group_tags" for it in ("show", "batch_create", "batch_delete", "list")),
    "huawei v2.0 list_security_groups_by_tags",
)
def test_tags_are_set_found_and_taken_away(shared: Cloud) -> None:
    sdks = shared.tenant()
    web, db = a_group(sdks), a_group(sdks, name="db")

    def tags(group: Any) -> dict[str, str]:
        return {it.key: it.value for it in ask(sdks, "show_security_group_tags", security_group_id=group.id).tags}

    def found(**said: Any) -> list[str]:
        body = {"action": "filter", **said}
        told = ask(sdks, "list_security_groups_by_tags", body)
        assert told.total_count == ask(sdks, "list_security_groups_by_tags", body | {"action": "count"}).total_count
        return sorted(it.resource_name for it in told.resources)

    ask(sdks, "create_security_group_tag", {"tag": {"key": "a/b 中", "value": ""}}, security_group_id=web.id)
    ask(sdks, "delete_security_group_tag", security_group_id=web.id, key="a/b 中")
    ask(sdks, "create_security_group_tag", {"tag": {"key": "env", "value": "prod"}}, security_group_id=web.id)
    some = [{"key": "env", "value": "test"}, {"key": "team", "value": "a"}]
    ask(sdks, "batch_create_security_group_tags", {"action": "create", "tags": some}, security_group_id=db.id)
    assert (tags(web), tags(db)) == ({"env": "prod"}, {"env": "test", "team": "a"})
    every = {it.key: it.values for it in ask(sdks, "list_security_group_tags").tags}
    assert every == {"env": ["prod", "test"], "team": ["a"]}
    assert found(tags=[{"key": "env", "values": ["prod", "x"]}]) == ["web"]
    assert found(tags=[{"key": "env", "values": []}]) == ["db", "web"]
    assert found(matches=[{"key": "resource_name", "value": "d"}]) == ["db"]
    assert ask(sdks, "list_security_groups_by_tags", {"action": "filter", "limit": 1, "offset": 2}).resources == []
    ask(sdks, "delete_security_group_tag", security_group_id=web.id, key="env")
    ask(sdks, "batch_delete_security_group_tags", {"action": "delete", "tags": some[:1]}, security_group_id=db.id)
    assert (tags(web), tags(db)) == ({}, {"team": "a"})


def test_what_is_refused_of_tags(shared: Cloud) -> None:
    sdks, stranger = shared.tenant(), shared.tenant()
    one, full, other = ({"security_group_id": a_group(each).id} for each in (sdks, sdks, stranger))
    tag = {"key": "env", "value": "prod"}
    many = [{"key": f"k{n}", "value": "v"} for n in range(30)]
    for n in (0, 10):
        ask(sdks, "batch_create_security_group_tags", {"action": "create", "tags": many[n : n + 10]}, **full)
    batch, search = "batch_create_security_group_tags", "list_security_groups_by_tags"
    table: Table = [
        ("create_security_group_tag", {"tag": tag}, full, (400, "VPC.1814")),
        ("create_security_group_tag", {"tag": {"key": "", "value": "v"}}, one, (400, "VPC.1801")),
        ("create_security_group_tag", {"tag": {"key": "x" * 200, "value": "v"}}, one, (400, "VPC.1801")),
        ("create_security_group_tag", {"tag": {"key": "env"}}, one, (400, "VPC.1801")),
        ("create_security_group_tag", {"tag": tag}, other, (404, "VPC.0603")),
        ("show_security_group_tags", None, other, (404, "VPC.0603")),
        ("delete_security_group_tag", None, {**one, "key": "none"}, (404, "VPC.2204")),
        (batch, {"action": "create", "tags": many[:11]}, one, (400, "VPC.1801")),
        (batch, {"action": "create", "tags": []}, one, (400, "VPC.1801")),
        (batch, {"action": "create", "tags": [many[0], many[0]]}, one, (400, "VPC.1814")),
        (batch, {"action": "change", "tags": many[:1]}, one, (400, "VPC.1801")),
        ("batch_delete_security_group_tags", {"action": "delete", "tags": []}, one, (400, "VPC.1801")),
        (search, {"action": "find"}, {}, (400, "VPC.1801")),
        (search, {"action": "filter", "limit": -1}, {}, (400, "VPC.1801")),
        (search, {"action": "filter", "matches": [{"key": "id", "value": "x"}]}, {}, (400, "VPC.1801")),
    ]
    check(sdks, table)
