"""Every field that the SDKs of the clouds know of a group, a rule and an ACL is known: read, or passed over."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models as ecs
from huaweicloudsdkvpc import v2, v3

from ringfence.importing.reading import Reading
from ringfence.importing.source import Item
from tests.importing import shapes
from tests.importing.reading import imported
from tests.importing.shapes import Doc


def members(model: Any) -> set[str]:
    """The fields of a model of either vendor."""
    told = getattr(model, "attribute_map", None)
    return {*told.values()} if told else {*re.findall(r"result\['(\w+)'\]", inspect.getsource(model.to_map))}


PERMISSION = shapes.permission("ingress", "TCP", "80/80", SourceCidrIp="10.0.0.0/8")
RULE = shapes.huawei_rule("r-1", "g-1", protocol="tcp", multiport="80")
GROUP = {"id": "g-1", "name": "web", "enterprise_project_id": "0"}
LINE = {"id": "l-1", "action": "allow", "protocol": "tcp"}
FIREWALL = {"id": "acl-1", "name": "edge", "ingress_rules": [], "egress_rules": []}
ALIBABA_GROUP = {"SecurityGroupId": "sg-1", "VpcId": "vpc-1"}
KNOWN: list[tuple[str, Any, Doc]] = [
    ("Permission", ecs.DescribeSecurityGroupAttributeResponseBodyPermissionsPermission, PERMISSION),
    ("Attribute", ecs.DescribeSecurityGroupAttributeResponseBody, shapes.attribute("sg-1", PERMISSION)),
    ("SecurityGroup", ecs.DescribeSecurityGroupsResponseBodySecurityGroupsSecurityGroup, ALIBABA_GROUP),
    ("rule", v3.SecurityGroupRule, RULE),
    ("rule", v2.SecurityGroupRule, RULE),
    ("group", v3.SecurityGroup, GROUP),
    ("group", v2.SecurityGroup, GROUP),
    ("line", v3.FirewallRuleDetail, LINE),
    ("firewall", v3.FirewallDetail, FIREWALL),
]
AROUND: dict[str, Any] = {
    "Permission": lambda it: shapes.attribute("sg-1", it),
    "Attribute": lambda it: it,
    "SecurityGroup": lambda it: {"SecurityGroups": {"SecurityGroup": [it]}},
    "rule": lambda it: {"security_group_rules": [it]},
    "group": lambda it: {"security_groups": [it]},
    "line": lambda it: {"firewall": {**FIREWALL, "ingress_rules": [it]}},
    "firewall": lambda it: {"firewall": it},
}


@pytest.mark.parametrize(("kind", "model", "doc"), KNOWN, ids=[model.__name__ for _, model, _ in KNOWN])
def test_no_field_of_the_sdk_is_unknown(kind: str, model: Any, doc: Doc, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Item, set[str]]] = []
    watch = Reading.decisive

    def watched(self: Reading, item: Item, read: set[str], passed: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        asked.append((item, {*read, *passed}))
        watch(self, item, read, passed)

    monkeypatch.setattr(Reading, "decisive", watched)
    imported({"file.json": AROUND[kind](doc)})
    known = [names for item, names in asked if doc.keys() <= item.value.keys()]
    assert known
    assert members(model) <= set.union(*known)


def test_the_members_of_a_model_are_found() -> None:
    assert {"SourceCidrIp", "PortRange"} <= members(KNOWN[0][1])
    assert {"multiport", "remote_group_id"} <= members(v3.SecurityGroupRule)
