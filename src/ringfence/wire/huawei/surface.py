"""The REST surface of Huawei's APIs: who asks for which call, and how it is told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import unquote

from ringfence.control.caller import Caller
from ringfence.control.ids import IdStyle
from ringfence.errors import RingfenceError
from ringfence.wire.huawei.faults import NO_PATH, body_of, fault_of
from ringfence.wire.huawei.members import body_of as said_by
from ringfence.wire.huawei.members import invalid, parameters, refused
from ringfence.wire.huawei.operation import Call, DryRun, Operation
from ringfence.wire.huawei.projects import VERSIONS
from ringfence.wire.huawei.registry import OPERATIONS
from ringfence.wire.huawei.signing import SCHEME, key_of
from ringfence.wire.request import Answer, Fault, Request, Service, Told

_SCHEMES = (SCHEME, "V11-HMAC-SHA256", "SDK-HMAC-", "V11-HMAC-")


@dataclass(frozen=True)
class Huawei:
    """Huawei Cloud VPC v3, v1 and v2.0, and the look-up of a project."""

    service: Service

    def claims(self, request: Request) -> bool:
        """Whether a request is signed by one of this API's schemes."""
        return request.header("authorization").startswith(_SCHEMES)

    def answer(self, request: Request) -> Answer:
        """Answer a request, refusals too."""
        return _Exchange(self.service, request).answer()

    def refuse(self, request: Request, status: int) -> Answer:
        """Answer a request that came to nothing before an operation had it, or that the server failed at."""
        fault = fault_of(RuntimeError()) if status >= 500 else Fault(status, "VPC.0601", _OF_STATUS.get(status, ""))
        return _Exchange(self.service, request).refused(Fault(status, fault.code, fault.message))


_OF_STATUS: Mapping[int, str] = {413: "the body is too large", 400: "the path or the query is not UTF-8"}


class _Exchange:
    """One request on its way to its answer."""

    def __init__(self, service: Service, request: Request) -> None:
        self._service = service
        self._request = request
        self._id = request.origin.request_id or uuid.uuid4().hex
        self._operation: Operation | None = None
        path = request.signed.path
        self._parts = [unquote(part) for part in path.split("/")]
        self._version = self._parts[1] if len(self._parts) > 1 and self._parts[1] in VERSIONS else "v3"

    def answer(self) -> Answer:
        try:
            caller = self._proved()
            self._request.log["account"] = caller.account
            found = self._wanted()
            if found is None:
                return self.refused(NO_PATH)
            operation, path = found
            self._operation = operation
            told = self._done(operation, caller, path)
        except DryRun:
            return self._encoded(202, {"request_id": self._id})
        except RingfenceError as error:
            return self.refused(fault_of(error, self._operation))
        return self._encoded(operation.status, None if operation.status == 204 else self._with_id(told))

    def refused(self, fault: Fault) -> Answer:
        """The answer that tells a refusal."""
        return self._encoded(fault.status, body_of(fault, self._version, self._id))

    # --- who asks for what

    def _proved(self) -> Caller:
        identities = self._service.identities
        return replace(identities.by_key(key_of(self._request, identities), self._request.origin), ids=IdStyle.UUID)

    def _wanted(self) -> tuple[Operation, Mapping[str, str]] | None:
        signed = self._request.signed
        for operation in _by_size(len(self._parts)):
            named = operation.parts_of(self._parts) if operation.method == signed.method else None
            if named is not None and operation.is_said(signed.body):
                return operation, named
        return None

    # --- what is done

    def _done(self, operation: Operation, caller: Caller, path: Mapping[str, str]) -> Told:
        _check_project(caller, path.get("project_id"), self._request.header("x-project-id"))
        with self._service.control.asked(caller, operation.name, operation.actions):
            return operation.handle(self._call(operation, caller, path))

    def _call(self, operation: Operation, caller: Caller, path: Mapping[str, str]) -> Call:
        query = parameters(self._request.signed.query)
        for name in query:
            if name not in operation.query:
                raise invalid(name, f"the call has no such parameter; use {', '.join(operation.query) or 'none'}", None)
        body = said_by(self._request.signed.body, operation.body)
        scheme = "https" if self._request.origin.secure else "http"
        origin = f"{scheme}://{self._request.header('host')}"
        return Call(self._service, caller, operation, path, query, body, self._id, origin)

    # --- how it is told

    def _with_id(self, told: Told) -> Told:
        return {**told, "request_id": self._id} if self._version == "v3" else told

    def _encoded(self, status: int, told: Any) -> Answer:
        body = b"" if told is None else json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        name = self._operation.label if self._operation else "(none)"
        return Answer(status, body, "application/json", f"huawei {name}")


@cache
def _by_size(parts: int) -> tuple[Operation, ...]:
    """The calls whose paths have so many parts; those with the most fixed parts first."""
    found = [operation for operation in OPERATIONS if operation.path.count("/") + 1 == parts]
    return tuple(sorted(found, key=lambda operation: operation.path.count("{")))


def _check_project(caller: Caller, in_path: str | None, in_header: str) -> None:
    """The project that a request names is the caller's account: VPC.0007 of the vendor's."""
    for named in (in_path, in_header):
        if named and named != caller.account:
            what = f"urlTenantId is not equal tokenTenantId: the project of this key is {caller.account}"
            raise refused(what, "VPC.0007")
