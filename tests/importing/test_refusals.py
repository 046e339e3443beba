"""What cannot be imported is refused with its place and the reason, and nothing of it is imported."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ringfence.errors import BadImportFile
from ringfence.importing import Cloud, FileKind, import_files
from ringfence.importing.report import Outcome
from ringfence.importing.source import Source
from tests.importing import shapes
from tests.importing.reading import imported, notes

ROW = {"ID": "1", "IP Protocol": "tcp", "IP Range": "0.0.0.0/0", "Port Range": "22:22", "Remote Security Group": None}
PERMISSION = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/33"}]}
GOOD = {**PERMISSION, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
GROUP = {"GroupId": "sg-1", "GroupName": "x", "VpcId": "vpc-1"}
BAD: list[tuple[Any, int, str]] = [
    ({"hello": 1}, 1, "nothing that can be imported"),
    ([], 1, "an empty list"),
    ([[{"GroupId": "sg-1"}]], 2, "a list of lists"),
    ({"SecurityGroups": "x"}, 1, "nothing that can be imported"),
    ({"SecurityGroups": [{"GroupName": "x"}]}, 3, "has no GroupId"),
    ({"SecurityGroups": [{**GROUP, "IpPermissions": [PERMISSION]}]}, 14, "is no prefix"),
    ({"SecurityGroups": [{**GROUP, "IpPermissions": [{**GOOD, "FromPort": 23}]}]}, 10, "no ports"),
    ({"SecurityGroups": [{**GROUP, "IpPermissions": [{**GOOD, "Deny": True}]}]}, 17, "'Deny' is not known"),
    ({"SecurityGroups": [{**GROUP, "Egress": [1]}]}, 7, "'Egress' is not known"),
    ([ROW], 2, "direction; list the rules with --long"),
    ([{**ROW, "Direction": "ingress"}], 2, "group; list the rules of all groups"),
    ({"security_groups": [{"id": "1", "name": "x"}]}, 1, "may be of Huawei Cloud or of OpenStack"),
    ({"security_group_rules": []}, 1, "it is empty"),
    ({"terraform_version": "1", "planned_values": {"root_module": {}}}, 1, "it is a plan"),
    ({"terraform_version": "1", "version": 3, "resources": [{"type": "aws_vpc"}]}, 3, "version 4"),
    ({"terraform_version": "1", "format_version": "1.0", "values": {}}, 1, "it has no resources"),
    (shapes.state(("aws_s3_bucket", {"id": "b"})), 1, "resources of aws_s3_bucket only"),
    ({"version": 3, "terraform_version": "0.11.1", "modules": []}, 2, "only version 4"),
    (shapes.state(*shapes.terraform_aws_resources(), ("alicloud_vpc", {"id": "v"})), 1, "alibaba and aws"),
]


@pytest.mark.parametrize(("doc", "line", "what"), BAD, ids=[what for _, _, what in BAD])
def test_the_place_and_the_reason(doc: Any, line: int, what: str) -> None:
    with pytest.raises(BadImportFile) as caught:
        imported({"file.json": doc})
    assert what in str(caught.value)
    assert str(caught.value).startswith(f"file.json, line {line}")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the file is empty"),
        ("{", "the file is cut off"),
        ('{"a": 1,, }', "this is no JSON"),
        ('{"a": 1, "a": 2}', "names 'a' twice"),
        ('{"a": NaN}', "no value of JSON"),
        ("[" * 5000, "nested too deeply"),
        ('{"SecurityGroups": [{"GroupId": "\\ud800"}]}', "surrogate"),
    ],
)
def test_what_is_no_json(text: str, what: str) -> None:
    with pytest.raises(BadImportFile, match=what):
        import_files([Source("file.json", text)])


def test_what_is_told_is_fit_for_a_terminal() -> None:
    files = copy.deepcopy(shapes.ALL["aws"])
    files["security-groups.json"]["SecurityGroups"][0]["GroupId"] = "sg\x1b[31m"
    assert all(line.isprintable() for line in imported(files).report.lines())
    with pytest.raises(BadImportFile) as caught:
        imported({"x.json": {"SecurityGroups": [{"\x1b[31m": 1}]}})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (FileKind.HUAWEI, "no list is in it that such an answer has; give one of vpcs"),
        (FileKind.OPENSTACK, "no list is in it that such an answer has; give one of subnets"),
        (FileKind.ALIBABA, "no list is in it that such an answer has; give one of SecurityGroups, Vpcs"),
        (FileKind.TERRAFORM, "it is no state of Terraform; give what terraform show -json prints"),
    ],
)
@pytest.mark.parametrize("lenient", [True, False])
def test_a_file_of_another_kind_than_was_said(kind: FileKind, what: str, lenient: bool) -> None:
    doc = {"NetworkAcls": [{"NetworkAclId": "acl-1"}]}
    with pytest.raises(BadImportFile) as caught:
        imported({"file.json": doc}, kind, lenient=lenient)
    assert what in str(caught.value)


def test_a_file_of_another_cloud_than_was_said() -> None:
    with pytest.raises(BadImportFile, match="it is of aws; give files of huawei, or say another --cloud"):
        import_files([Source("x", json.dumps(shapes.ALL["aws"]["vpcs.json"]))], cloud=Cloud.HUAWEI)


def test_two_clouds_are_not_one_world() -> None:
    files = {"a.json": shapes.ALL["aws"]["security-groups.json"], "b.json": shapes.ALL["alibaba"]["attributes.json"]}
    with pytest.raises(BadImportFile, match="one cloud at a time"):
        imported(files)


def test_of_a_state_of_two_clouds_one_can_be_imported() -> None:
    state = shapes.state(*shapes.terraform_aws_resources(), *shapes.terraform_alicloud_resources())
    made = import_files([Source("x", json.dumps(state))], cloud=Cloud.ALIBABA)
    assert made.world.profile.name == "alibaba"
    told = [note for note in notes(made, Outcome.TOLD) if "it is of aws" in note.why]
    assert len(told) == len(shapes.terraform_aws_resources()) - 1  # the bucket is of no cloud that is known


def test_a_field_that_is_not_known_can_be_told_instead() -> None:
    files = copy.deepcopy(shapes.ALL["aws"])
    files["security-groups.json"]["SecurityGroups"][0]["IpPermissions"][0]["Deny"] = True
    made = imported(files, lenient=True)
    told = [note for note in notes(made, Outcome.TOLD) if note.what == "field Deny"]
    assert [note.where for note in told] == ["SecurityGroups[0].IpPermissions[0].Deny"]
    assert json.dumps(made.report.as_json())
