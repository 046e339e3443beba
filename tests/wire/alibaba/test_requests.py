"""What requests say besides an operation's own: bodies, empty texts, ClientToken, disabled keys. Without packets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_vpc20160428 import models as vpc

from ringfence.control import basic
from ringfence.control.caller import Caller
from ringfence.control.kinds import Verb, action_of
from ringfence.resources.kind import Kind
from ringfence.resources.values import AccessKey as KeyOf
from ringfence.security.keys import AccessKey
from ringfence.wire.alibaba.operation import Product
from ringfence.wire.alibaba.parameters import Parameters
from ringfence.wire.alibaba.registry import OPERATIONS
from tests.wire.alibaba.models import checked
from tests.wire.alibaba.peopled import Peopled, kind_of
from tests.wire.raw import Raw
from tests.wire.sdks import REGION
from tests.wire.test_refusals import asked

_ALL: Final = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    with asked(tmp_path_factory.mktemp("service")) as service:
        yield Peopled.of(service.alibaba)


def _code(own: Peopled, raw: Raw, operation: str, **said: str) -> str:
    told = json.loads(own.alibaba.answer(raw.rpc(operation, Product.ECS, {"RegionId": REGION, **said})).body)
    return str(told.get("Code", "done"))


def _user(own: Peopled) -> Raw:
    """Another user of the account, who may do everything."""
    service = own.alibaba.service
    with service.control.change(Caller(own.account, operator=True, home="operator"), "CreateUser") as draft:
        policy = basic.create(draft, Kind.POLICY, {"document": json.dumps(_ALL)}).id
        user = basic.create(draft, Kind.USER, {"name": "ann", "policies": [policy]}).id
        resource, secret = service.identities.create_key(draft, user)
    return Raw(AccessKey(resource.id, secret))


def test_a_body_is_a_form_or_refused(own: Peopled) -> None:
    """A body that is not read would be dropped in silence, and whether it is one is said by a header nobody signs."""
    said = {"SecurityGroupId": own.ids["group"][0], "Description": "a form's"}
    form = ("content-type", "Application/x-www-form-urlencoded; charset=utf-8")
    for kind, body, wanted in (
        (form, urlencode(said).encode(), "done"),
        (("content-type", "application/json"), urlencode(said).encode(), "InvalidParameter"),
        (("accept", "*/*"), b"{}", "InvalidParameter"),
        (form, b"Description=a\xc3\xa9", "InvalidParameter"),
        (form, b"Action=DeleteSecurityGroup", "InvalidParameter"),
        (form, b"Description=a%C3", "InvalidParameter"),
    ):
        whole = own.raw.rpc("ModifySecurityGroupAttribute", Product.ECS, {"RegionId": REGION, **said}).signed
        kept = "&".join(it for it in whole.query.split("&") if not it.startswith(("SecurityGroupId=", "Description=")))
        query = kept if wanted == "done" else whole.query
        request = own.raw.rpc("DescribeRegions", Product.ECS, {})
        signed = replace(whole, query=query, headers=(*whole.headers, kind), body=body)
        told = json.loads(own.alibaba.answer(replace(request, signed=signed)).body)
        assert told.get("Code", "done") == wanted, (kind, body, told)
    told = own.ask("DescribeSecurityGroups", SecurityGroupId=said["SecurityGroupId"])
    assert _found(told, said["SecurityGroupId"])["Description"] == "a form's"


_TEXTS: Final[list[tuple[str, str, str, str, tuple[str, str]]]] = [
    ("ModifyVpcAttribute", "VpcId", "vpc", "DescribeVpcs", ("VpcName", "Description")),
    ("ModifyVSwitchAttribute", "VSwitchId", "switch", "DescribeVSwitches", ("VSwitchName", "Description")),
    ("ModifySecurityGroupAttribute", "SecurityGroupId", "group", "DescribeSecurityGroups",
     ("SecurityGroupName", "Description")),
    ("ModifyInstanceAttribute", "InstanceId", "instance", "DescribeInstanceAttribute", ("InstanceName", "Description")),
    ("ModifyNetworkInterfaceAttribute", "NetworkInterfaceId", "eni", "DescribeNetworkInterfaceAttribute",
     ("NetworkInterfaceName", "Description")),
    ("ModifyPrefixList", "PrefixListId", "list", "DescribePrefixListAttributes", ("PrefixListName", "Description")),
]  # fmt: skip


@pytest.mark.parametrize(("modify", "field", "kind", "describe", "texts"), _TEXTS)
def test_an_empty_text_is_not_said(
    own: Peopled, modify: str, field: str, kind: str, describe: str, texts: tuple[str, str]
) -> None:
    id_ = own.ids[kind][0]
    for said in (dict.fromkeys(texts, "store"), {texts[0]: "", texts[1]: "other"}, {texts[0]: "market", texts[1]: ""}):
        own.ask(modify, **{field: id_}, **said)
    told = _found(own.ask(describe, **{field: id_}), id_)
    assert [told[it] for it in texts] == ["market", "other"]


def _found(told: Any, id_: str) -> Any:
    """The part of an answer that is about a resource."""
    parts = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    if isinstance(told, dict) and id_ in told.values():
        return told
    return next((found for each in parts if (found := _found(each, id_))), None)


def test_answers_are_of_the_types_of_the_models(own: Peopled) -> None:
    """Numbers, booleans and texts as the SDK's models declare them, which the SDK itself does not look at."""
    packages: dict[str, Any] = {Product.ECS: ecs, Product.VPC: vpc}
    for (name, product), operation in OPERATIONS.items():
        if name.startswith(("Describe", "List")):
            needed = {it.name: kind_of(it.name) for it in operation.fields if it.required}
            said = {it.replace(".N", ".1"): own.ids[kind][0] for it, kind in needed.items() if kind}
            more = {"ResourceType": "securitygroup", "Tag.1.Key": "env"} if "Tag" in name else {}
            checked(name, own.ask(name, product, **said, **more), packages[product])


def test_a_client_token_is_the_users_own(own: Peopled) -> None:
    ann, bob = _user(own), _user(own)
    made = {"ClientToken": "t", "VpcId": own.ids["vpc"][0]}
    for raw, name, wanted in (
        (ann, "first", "done"),
        (ann, "first", "done"),
        (bob, "second", "done"),
        (ann, "third", "IdempotentParameterMismatch"),
    ):
        assert _code(own, raw, "CreateSecurityGroup", SecurityGroupName=name, **made) == wanted, name
    told = own.ask("DescribeSecurityGroups", VpcId=made["VpcId"])["SecurityGroups"]["SecurityGroup"]
    names = [it["SecurityGroupName"] for it in told]
    assert [names.count(it) for it in ("first", "second", "third")] == [1, 1, 0]


def test_a_disabled_key_is_said_to_be_so(own: Peopled) -> None:
    raw, service = _user(own), own.alibaba.service
    assert _code(own, raw, "DescribeVpcs") == "done"
    with service.control.change(Caller(own.account, operator=True, home="operator"), "UpdateAccessKey") as draft:
        key = draft.own(Kind.ACCESS_KEY, raw.key.id)
        assert isinstance(key.value, KeyOf)
        draft.put(action_of(Verb.UPDATE, Kind.ACCESS_KEY), replace(key, value=replace(key.value, enabled=False)))
    assert _code(own, raw, "DescribeVpcs") == "InvalidAccessKeyId.Inactive"


def test_a_rule_said_twice_is_a_duplicate_however_it_is_said(own: Peopled) -> None:
    rule = {"IpProtocol": "tcp", "PortRange": "443/443", "SourceCidrIp": "10.0.0.0/8"}
    twice = [rule, {**rule, "IpProtocol": "TCP", "Priority": "1", "Policy": "Accept", "NicType": "intranet"}]
    said = {f"Permissions.{index}.{name}": text for index, it in enumerate(twice, 1) for name, text in it.items()}
    code = _code(own, own.raw, "AuthorizeSecurityGroup", SecurityGroupId=own.ids["group"][0], **said)
    assert code == "InvalidParam.DuplicatePermissions"


def test_lists_are_read_once_however_many_resources_they_filter() -> None:
    """Else a filter of 20,000 items would be read again for each of thousands of interfaces."""
    said = Parameters.of("&".join(f"Tag.{it}.Key=a&Id.{it}=b" for it in range(1, 9_000)))
    assert said.every("Id") is said.every("Id")
    assert said.parts("Tag") is said.parts("Tag")
