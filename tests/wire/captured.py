"""Requests of the real SDKs as they were captured, and the vendors' published vectors, with the secrets they used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ringfence.control.identity import From
from ringfence.security.signing import Request as Signed
from ringfence.wire.request import Request


@dataclass(frozen=True)
class Captured:
    """A request as text: its first line, its headers, an empty line, its body. ``secret`` signed it at ``at``."""

    name: str
    key: str
    secret: str
    at: datetime
    text: str

    @property
    def request(self) -> Request:
        """What a server is told of it."""
        head, _, body = self.text.strip("\n").partition("\n\n")
        first, *lines = head.split("\n")
        method, target, _version = first.split(" ")
        path, _, query = target.partition("?")
        headers = tuple((name.lower(), value) for name, value in (line.split(": ", 1) for line in lines))
        return Request(Signed(method, path, query, headers, body.encode()), From())


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_AGENT = "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2"
_HUAWEI_AGENT = (
    "huaweicloud-usdk-python/3.0; os/Linux##1_SMP_PREEMPT_DYNAMIC_@0#x86_64 python/3.11.7 impl/CPython; "
    "app/060e1075-562c-4550-acc3-1df42384458d"
)
_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_PROJECT = "0123456789abcdef0123456789abcdef"
_GROUP = "11111111-2222-3333-4444-555555555555"


def _huawei(name: str, first: str, signature: str, body: str = "", *, typed: str = "application/json") -> Captured:
    """A request to Huawei's APIs; ``typed`` is empty where no project and no type was sent."""
    project = f"Content-Type: {typed}\nX-Project-Id: {_PROJECT}\n" if typed else ""
    signed = "content-type;host;user-agent;x-project-id;x-sdk-date" if typed else "host;user-agent;x-sdk-date"
    agent = _HUAWEI_AGENT if typed else _HUAWEI_AGENT.replace("huaweicloud-usdk-python/3.0; ", "")
    text = (
        f"{first} HTTP/1.1\nUser-Agent: {agent}\n{project}X-Sdk-Date: 20261122T021322Z\nHost: 127.0.0.1:40663\n"
        f"Authorization: SDK-HMAC-SHA256 Access=AKTEST, SignedHeaders={signed}, Signature={signature}\n\n{body}"
    )
    return Captured(name, "AKTEST", "SKTEST", _at("2026-11-22T02:13:22Z"), text)


HUAWEI = (
    _huawei(
        "v3 create group",
        f"POST /v3/{_PROJECT}/vpc/security-groups",
        "887e12742d5f6f9223ddcce821a11bf03269c3cb16c6e4cd3fa90a1e4bf4e2bb",
        '{"security_group": {"name": "sg \\u4e2d", "description": "d", "tags": [{"key": "k", "value": "v"}]}}',
    ),
    _huawei(
        "v3 create rule",
        f"POST /v3/{_PROJECT}/vpc/security-group-rules",
        "b06eda42e52686a6b5bf5078deb3fcadf457f2fcf2f4020d23af9dde133d0d1d",
        f'{{"security_group_rule": {{"security_group_id": "{_GROUP}", "direction": "ingress", "protocol": "tcp", '
        '"multiport": "22,80-90", "remote_ip_prefix": "10.0.0.0/8", "action": "allow", '
        '"priority": 1, "enabled": true}}',
    ),
    _huawei(
        "v3 list rules",
        f"GET /v3/{_PROJECT}/vpc/security-group-rules?description=x%20y&enabled=true&ethertype=IPv4&ethertype=IPv6"
        f"&id={_GROUP}&id=b&limit=2&priority=1&priority=2&security_group_id={_GROUP}",
        "52a9f1a06792313edf564efb7ea6845818bcb49b0632f916515ee6bb379e359d",
    ),
    _huawei(
        "v1 create group",
        f"POST /v1/{_PROJECT}/security-groups",
        "20d8ba8295cb0b86ab1497614365def8fd828dccaec9a357dc4b18dc28a5b267",
        '{"security_group": {"name": "sg"}}',
        typed="application/json;charset=utf-8",
    ),
    _huawei(
        "v2.0 create group",
        "POST /v2.0/security-groups",
        "fa0c5949586499f50415b0366694cec88dc7c28766c8ececa145ed63e520883e",
        '{"security_group": {"name": "sg"}}',
        typed="application/json;charset=utf-8",
    ),
    _huawei(
        "look up the project",
        "GET /v3/projects?name=my-region-1",
        "c88f71b5bb977fe77cd835b1c08c6f82198883dd5c953158ca1861f2e5b39453",
        typed="",
    ),
)

_OLD = (
    "Format=json&RegionId=cn-hangzhou&Timestamp=2026-11-22T02%3A13%3A13Z&SignatureMethod=HMAC-SHA1&SignatureType="
    "&SignatureVersion=1.0"
)


def _rpc(name: str, query: str, at: str, *, method: str = "POST", key: str = "testid") -> Captured:
    text = f"{method} /?{query} HTTP/1.1\nHost: 127.0.0.1:46239\nContent-Length: 0"
    return Captured(name, key, "testsecret", _at(at), text)


def _acs3(key: str, signature: str, *more: str) -> str:
    """The Authorization header of a request that signs the usual headers and some more."""
    usual = ("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version")
    signed = ";".join(sorted((*usual, *more)))
    return f"Authorization: ACS3-HMAC-SHA256 Credential={key},SignedHeaders={signed},Signature={signature}"


_OF_JOIN = _acs3(
    "testid",
    "67c3788123b69428f0d5cbf98b771d74fa985d31acd9a9975b26caf6eaab0984",
    *("accept", "user-agent", "x-acs-credentials-provider"),
)
_OF_RUN = _acs3("YourAccessKeyId", "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")

ALIBABA = (
    _rpc(
        "join",
        f"InstanceId=i-001&SecurityGroupId=sg-001&Version=2014-05-26&Action=JoinSecurityGroup&{_OLD}"
        "&SignatureNonce=d70df0c8e80d9d38973c99c6ede4beaa&AccessKeyId=testid&Signature=3pKyWXSAl%2BuUCg4sjW5OyqvqYKM%3D",
        "2026-11-22T02:13:13Z",
    ),
    _rpc(
        "leave",
        f"InstanceId=i-001&SecurityGroupId=sg-001&Version=2014-05-26&Action=LeaveSecurityGroup&{_OLD}"
        "&SignatureNonce=1c95270a5eefcec6f51e8d32bf6512e8&AccessKeyId=testid&Signature=39Fp6MPdeHhsLBrduUrP3Yt0whM%3D",
        "2026-11-22T02:13:13Z",
    ),
    _rpc(
        "authorize",
        "SecurityGroupId=sg-1&Permissions.1.Policy=accept&Permissions.1.Priority=1&Permissions.1.IpProtocol=TCP"
        "&Permissions.1.SourceCidrIp=10.0.0.0%2F8&Permissions.1.PortRange=22%2F22"
        "&Permissions.1.Description=a%20b%2A~%2B%E4%B8%AD%27%28%29%21&Permissions.2.IpProtocol=ALL"
        "&Permissions.2.SourceGroupId=sg-2&Permissions.2.PortRange=-1%2F-1&Version=2014-05-26"
        "&Action=AuthorizeSecurityGroup&Format=JSON&RegionId=my-region-1&Timestamp=2026-11-22T02%3A13%3A16Z"
        "&SignatureMethod=HMAC-SHA1&SignatureType=&SignatureVersion=1.0&SignatureNonce=f2c772c84080415d63bc174aff5caea4"
        "&AccessKeyId=testid&Signature=ojOIHSSPyS8BtVQ1xmCL9NSHdDM%3D",
        "2026-11-22T02:13:16Z",
    ),
    _rpc(
        "new SDK, signature v2",
        "Action=JoinSecurityGroup&Format=json&Version=2014-05-26&Timestamp=2026-11-22T02%3A13%3A17Z"
        "&SignatureNonce=45752d856e7df0d4faf35899584fac91&InstanceId=i-1&SecurityGroupId=sg-1&SignatureMethod=HMAC-SHA1"
        "&SignatureVersion=1.0&AccessKeyId=testid&Signature=0c0EQffdhRoRlXXXSqCbTekyLpc%3D",
        "2026-11-22T02:13:17Z",
    ),
    _rpc(
        "published: DescribeRegions",
        "Timestamp=2016-02-23T12%3A46%3A24Z&Format=XML&AccessKeyId=testid&Action=DescribeRegions"
        "&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&Version=2014-05-26"
        "&SignatureVersion=1.0&Signature=OLeaidS1JvxuMvnyHOwuJ%2BuX5qY%3D",
        "2016-02-23T12:46:24Z",
        method="GET",
    ),
    Captured(
        "ACS3 join",
        "testid",
        "testsecret",
        _at("2026-11-22T02:13:17Z"),
        f"""
POST /?InstanceId=i-1&SecurityGroupId=sg-1 HTTP/1.1
host: 127.0.0.1:39739
x-acs-version: 2014-05-26
x-acs-action: JoinSecurityGroup
user-agent: {_AGENT}
x-acs-date: 2026-11-22T02:13:17Z
x-acs-signature-nonce: 85dd550ea96bcc4462607f8e17861f4d
accept: application/json
x-acs-content-sha256: {_EMPTY}
x-acs-credentials-provider: static_ak
{_OF_JOIN}
""",
    ),
    Captured(
        "published: ACS3 RunInstances",
        "YourAccessKeyId",
        "YourAccessKeySecret",
        _at("2023-10-26T10:22:32Z"),
        f"""
POST /?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai HTTP/1.1
host: ecs.cn-shanghai.aliyuncs.com
x-acs-action: RunInstances
x-acs-content-sha256: {_EMPTY}
x-acs-date: 2023-10-26T10:22:32Z
x-acs-signature-nonce: 3156853299f313e23d1673dc12e1703d
x-acs-version: 2014-05-26
{_OF_RUN}
""",
    ),
)
