"""The page of docs/ that lists every operation of the clouds' APIs, what is not served, and the test that proves it.

``python -m tests.wire.page`` writes it anew.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import tests.wire
from ringfence.wire.alibaba.operation import Operation as AlibabaOperation
from ringfence.wire.alibaba.registry import NOT_SERVED as NOT_BY_ALIBABA
from ringfence.wire.alibaba.registry import OPERATIONS as ALIBABA
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.operation import Operation as HuaweiOperation
from ringfence.wire.huawei.registry import NOT_SERVED as NOT_BY_HUAWEI
from ringfence.wire.huawei.registry import OPERATIONS as HUAWEI
from tests.wire.proving import PROOFS

PAGE = Path(__file__).parents[2] / "docs" / "wire.md"
_HEAD = """\
# The clouds' own APIs

Scripts, tools and SDKs of Alibaba Cloud (ECS 2014-05-26; network ACLs of Vpc 2016-04-28) and of Huawei Cloud (VPC v3,
v1 and v2.0) work unchanged when they are pointed at a Ringfence server: one port serves both beside the native API, and
`/` without an action tells what is served.

| | endpoint | who you are |
|---|---|---|
| Alibaba, old SDK | `client.add_endpoint(region, "Ecs", "HOST:PORT")` | access key id and secret |
| Alibaba, new SDK | `Config(endpoint="HOST:PORT", protocol="http", …)` | access key id and secret |
| Huawei | `.with_endpoint("http://HOST:PORT")` | access key id and secret; the project id is the account's id |

The server prints the operator's key at its first start; `ringfence access-key create` makes more, `ringfence whoami`
tells the account. Two things are easily missed:

* Alibaba's SDKs want an endpoint for each product: say `client.add_endpoint(region, "Vpc", "HOST:PORT")` as well for
  network ACLs, and give both clients of the new SDK one `Config`. VPCs and vSwitches are made by the requests of ECS
  (`aliyunsdkecs…CreateVpcRequest`, `CreateVSwitchRequest`), not by those of the product Vpc.
* The old SDK sends requests of port range lists by HTTPS unless `request.set_protocol_type("http")` is called, and the
  server speaks plain HTTP; behind a proxy for TLS that is not needed.

What is made here is at once in the kernel, in the other API, and in the native one: the command line shows it by the
names that it was given, and world files have those where only one thing of a kind is called so. In a lab, instances
are known by their ids: `ringfence exec i-… -- COMMAND`. Huawei's ports wait for an instance, since its ECS API is not
served: `ringfence instance create vm-1` and `ringfence port attach PORT-ID vm-1` give them one.

With hosts outside, as in the example of `make run`, VPCs of an account cannot overlap, and a script's 10.0.0.0/8 would:
`ringfence serve --lab NAME` starts with nothing.

Any region id is taken, unless the server was started with `--region`: then only that one. A VPC carries the profile of
the API that made it, and a security group is used only in VPCs of its own profile. Parameters listed as *ignored* have
nothing to do with security groups: they are taken, and mean nothing. A parameter that is listed nowhere is refused, and
so is an operation: `InvalidAction.NotFound` or `APIGW.0101`.

Things are named by their ids alone, and what another account has is told as if it was not there. In Alibaba's APIs an
empty parameter is as good as none; `DryRun` is for every operation that changes something; a `ClientToken` is its
user's own, and repeats what was answered; parameters come in the query or in a form, and another body is refused.

This page is made of the registries of operations and of the tests: `python -m tests.wire.page`.
"""


def page() -> str:
    """The whole page."""
    for module in pkgutil.walk_packages(tests.wire.__path__, "tests.wire."):
        importlib.import_module(module.name)  # so that every test has said what it proves
    return "\n".join((_HEAD, *_alibaba(), *_huawei()))


def _alibaba() -> Iterator[str]:
    yield "## Alibaba Cloud\n"
    yield from _table("operation", (_of_alibaba(it) for _, it in sorted(ALIBABA.items())))
    yield from _ignored((it.name, it.ignored) for _, it in sorted(ALIBABA.items()))
    yield from _not_served(NOT_BY_ALIBABA)


def _of_alibaba(operation: AlibabaOperation) -> tuple[str, str, str]:
    return operation.name, operation.doc, f"alibaba {operation.name}"


def _huawei() -> Iterator[str]:
    for version in ("v3", "v1", "v2.0", ""):
        calls = [it for it in HUAWEI if it.version == version]
        if calls:
            yield f"## Huawei Cloud{', ' + version if version else ': the root'}\n"
            yield from _table("call", (_of_huawei(it) for it in calls))
            yield from _ignored((it.name, frozenset(_ignored_by(it.body))) for it in calls)
    yield from _not_served(NOT_BY_HUAWEI)


def _of_huawei(operation: HuaweiOperation) -> tuple[str, str, str]:
    what = f"`{operation.method} {operation.path}`: {operation.doc}"
    return operation.name, what, f"huawei {operation.label}"


def _ignored_by(members: tuple[Member, ...]) -> Iterator[str]:
    for member in members:
        if member.ignored:
            yield member.name
        yield from _ignored_by(member.of)


def _table(what: str, rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    yield f"| {what} | what is served | proved by |\n|---|---|---|"
    for name, doc, label in rows:
        proofs = ", ".join(f"`{proof}`" for proof in sorted(set(PROOFS.get(label, []))))
        yield f"| {name} | {doc.replace('|', chr(92) + '|')} | {proofs} |"
    yield ""


def _ignored(rows: Iterable[tuple[str, frozenset[str]]]) -> Iterator[str]:
    """What is taken and means nothing: operations that ignore the same together."""
    alike: dict[frozenset[str], list[str]] = {}
    for name, ignored in rows:
        if ignored:
            alike.setdefault(ignored, []).append(name)
    if alike:
        yield "Ignored:\n"
        yield from (f"* {', '.join(names)}: {_names(ignored)}" for ignored, names in alike.items())
        yield ""


def _not_served(names: dict[str, str]) -> Iterator[str]:
    if names:
        yield "Not served:\n"
        yield from (f"* {name}: {why}" for name, why in sorted(names.items()))
        yield ""


def _names(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
