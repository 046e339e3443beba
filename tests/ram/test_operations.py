"""Actions and the operations that ask for them: a policy that names what nobody asks for would do nothing."""

from __future__ import annotations

import json

import pytest

from ringfence.api.app import all_routes
from ringfence.ram.actions import ACTIONS, DESCRIBE_METRICS
from ringfence.ram.policy import Policy
from ringfence.wire.alibaba.registry import OPERATIONS as ALIBABA
from ringfence.wire.huawei.registry import OPERATIONS as HUAWEI


def test_every_action_is_asked_for_by_some_operation() -> None:
    """That a route asks for each that it names is held by ``tests/api/test_matrix.py``."""
    named = (
        *(route.actions for route in all_routes()),
        *(operation.actions for operation in ALIBABA.values()),
        *(operation.actions for operation in HUAWEI),
    )
    asked = {action for actions in named for action in actions}
    assert set(ACTIONS.values()) - asked == {DESCRIBE_METRICS}  # of `ringfence.server.operation`, which is no route


@pytest.mark.parametrize(
    ("version", "named", "does"),
    [
        ("1", "vpc:AssociateHaVip", {"AssociateHaVip"}),
        ("1", "ram:GetUser", {"ListUsers"}),
        ("1", "ram:GetPolicy", {"ListPolicies"}),
        ("1.1", "iam:users:getUser", {"ListUsers"}),
        ("1.1", "iam:roles:getRole", {"ListPolicies"}),
        ("1", "vpc:AcceptVpcPeerConnection", set()),
        ("1", "ecs:CreateDisk", set()),
        ("1", "oss:PutObject", set()),
        ("1.1", "vpc:peerings:accept", set()),
    ],
)
def test_a_policy_may_name_what_a_cloud_has_and_we_have_not(version: str, named: str, does: set[str]) -> None:
    """It is about nothing then; the names of reading one thing are about the list, which is judged thing by thing."""
    resource = {"Resource": "*"} if version == "1" else {}
    said = {"Version": version, "Statement": [{"Effect": "Deny", "Action": named, **resource}]}
    (statement,) = Policy.parse(json.dumps(said)).statements
    assert statement.covers == does
