"""The API against its own OpenAPI: whatever comes, it answers as it says that it does, and never fails.

A longer run: ``RINGFENCE_SCHEMATHESIS=500 pytest --timeout 0 tests/api/test_schemathesis.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.asking import Town
from tests.api.things import asks

Operation = APIOperation[Any, Any, Any, Any]
EXAMPLES = int(os.environ.get("RINGFENCE_SCHEMATHESIS", "3"))
CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ELSEWHERE = frozenset({"watch", "revoke_token"})
"""Routes whose answer has no end, or which take the token: `test_watch` and `test_matrix` ask for them."""
ALIKE = ("list_", "get_", "delete_", "tag_", "untag_")
SOME = tuple(f"/v1/{plural}" for plural in ("groups", "rules", "access-keys", "quotas"))
"""Routes that are the same for every kind: a short run asks for those of some kinds."""
UNTRIED = ("wait", "confirm")
"""Parameters by which a request takes its time, or holds up all others."""


def operations(here: Town) -> Iterator[Operation]:
    document = here.http.get("/openapi.json").json()
    for each in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = cast("Any", each).ok()
        name = operation.definition.raw["operationId"]
        is_like_others = name.startswith(ALIKE) and not operation.path.startswith(SOME)
        if name not in ELSEWHERE and not (is_like_others and EXAMPLES < 10):
            yield operation


def real(here: Town, operation: Operation) -> Mapping[str, str]:
    """What stands in the path where something is there."""
    path = asks(here.tenant.ids)[operation.definition.raw["operationId"]][0].path
    pairs = zip(operation.path.split("/"), path.split("/"), strict=True)
    return {name[1:-1]: value for name, value in pairs if name.startswith("{")}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as told", "otherwise"])
def test_the_api_answers_as_its_openapi_says(here: Town, mode: GenerationMode) -> None:
    failures: dict[str, str] = {}
    with requests.Session() as session:
        session.trust_env = False
        for operation in operations(here):
            try:
                answers(here, session, operation, mode)
            except FailureGroup as group:
                failures[operation.label] = "\n".join(str(each) for each in group.exceptions)
    assert not failures, "\n".join(f"{label}: {text}" for label, text in failures.items())


def answers(here: Town, session: requests.Session, operation: Operation, mode: GenerationMode) -> None:
    there = real(here, operation)
    tokens = [here.tenant.tokens["account"], here.operator.tokens["account"]]

    @settings(
        max_examples=EXAMPLES if mode is GenerationMode.POSITIVE else EXAMPLES // 2,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 10,
        suppress_health_check=[*HealthCheck],
    )
    @given(operation.as_strategy(generation_mode=mode), st.sampled_from(tokens), st.booleans())
    def run(case: Case[Any], token: str, is_there: bool) -> None:
        if is_there:
            case.path_parameters = dict(there)
        case.query = {name: value for name, value in (case.query or {}).items() if name not in UNTRIED}
        if case.method != "GET":
            case.query.setdefault("dry_run", "true")
        response = case.call(here.served.url, session, headers={"Authorization": f"Bearer {token}"})
        case.validate_response(response, checks=CHECKS)

    run()


BARE = ("/revert", "/confirm", "/detach", "/start", "/stop", "/reboot")
"""Ends of paths that are all that such a request says."""


def test_the_openapi_names_what_each_route_takes_and_gives(here: Town) -> None:
    document = here.http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"token": []} in document["security"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["x-ringfence-actions"], where
            assert operation["summary"].endswith("."), where
            assert ("requestBody" in operation) == (method in ("post", "put", "patch")) or path.endswith(BARE), where
            for status, response in operation["responses"].items():
                for kind, content in response["content"].items():
                    assert kind == "application/problem+json" or int(status) < 300, where
                    schema = content["schema"]
                    assert schema != {"type": "object"}, f"{where} tells nothing of its answer {status}"
