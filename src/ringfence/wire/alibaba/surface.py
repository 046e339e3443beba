"""The RPC surface of Alibaba's APIs: who asks for which operation, and how it is told."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ringfence.control.caller import Caller
from ringfence.control.ids import IdStyle
from ringfence.errors import Forbidden, NotAuthenticated, Refused, RingfenceError
from ringfence.security.signing import SKEW
from ringfence.wire.alibaba.answers import encoded
from ringfence.wire.alibaba.faults import access_denied, fault_of
from ringfence.wire.alibaba.operation import ALWAYS, COMMON, LEGACY, Call, Operation, Product
from ringfence.wire.alibaba.parameters import Parameters, invalid, missing
from ringfence.wire.alibaba.registry import OPERATIONS
from ringfence.wire.alibaba.signing import claim_of, is_form, verified
from ringfence.wire.request import Answer, Fault, Request, Service, Told


@dataclass(frozen=True)
class Alibaba:
    """Alibaba Cloud ECS 2014-05-26, and the network ACLs of its Vpc product."""

    service: Service

    def claims(self, request: Request) -> bool:
        """Whether a request speaks this API: ``/`` with an action, or a signature of one of its schemes."""
        if request.signed.path != "/":
            return False
        query = f"&{request.signed.query}"
        signed = request.header("authorization").startswith("ACS3-") or bool(request.header("x-acs-action"))
        return (
            signed
            or (request.signed.method == "POST" and is_form(request))
            or "&Action=" in query
            or "&Signature=" in query
        )

    def answer(self, request: Request) -> Answer:
        """Answer a request, refusals too."""
        return _Exchange(self.service, request).answer()

    def refuse(self, request: Request, status: int) -> Answer:
        """Answer a request that came to nothing before an operation had it, or that the server failed at."""
        return _Exchange(self.service, request).refused(
            _OF_STATUS.get(status, _OF_STATUS[500 if status > 499 else 400])
        )


_OF_STATUS: Mapping[int, Fault] = {
    400: Fault(400, "InvalidParameter", "The request is not percent-encoded UTF-8."),
    413: Fault(413, "InvalidParameter", "The request is too large."),
    500: fault_of(RuntimeError()),
    503: Fault(503, "ServiceUnavailable", "The server is stopping; send the request again later."),
}


class _Exchange:
    """One request on its way to its answer."""

    def __init__(self, service: Service, request: Request) -> None:
        self._service = service
        self._request = request
        self._id = str(uuid.uuid4()).upper()
        self._said = Parameters({})
        self._caller: Caller | None = None
        self._operation: Operation | None = None

    def answer(self) -> Answer:
        try:
            self._read()
            operation = self._operation = self._wanted()
            caller = self._caller = self._proved()
            self._request.log["account"] = caller.account
            return self._told(200, self._done(operation, caller))
        except RingfenceError as error:
            more = self._denied(error) if isinstance(error, Forbidden) else {}
            return self.refused(fault_of(error, self._operation), more)

    def refused(self, fault: Fault, more: Told | None = None) -> Answer:
        """The answer that tells a refusal."""
        host = self._request.header("host")
        told = {"RequestId": self._id, "HostId": host, "Code": fault.code, "Message": fault.message, **(more or {})}
        return self._encoded(fault.status, told, "Error")

    # --- what is asked

    def _read(self) -> None:
        signed = self._request.signed
        if signed.method not in ("GET", "POST"):
            raise Refused("Specified method is not supported.", reason="UnsupportedHTTPMethod")
        self._said = Parameters.of(signed.query)  # with the form in which to tell what is wrong with the body
        if not signed.body:
            return
        if not (is_form(self._request) and signed.body.isascii()):
            raise invalid("body", "send parameters in the query, or as application/x-www-form-urlencoded", "")
        self._said = Parameters.of(signed.query, signed.body.decode("ascii"))

    @property
    def _is_acs3(self) -> bool:
        return self._request.header("authorization").startswith("ACS3-")

    def _common(self, parameter: str, header: str) -> str:
        return self._request.header(header) if self._is_acs3 else self._said.text(parameter)

    def _wanted(self) -> Operation:
        name = self._common("Action", "x-acs-action")
        if not name:
            raise missing("Action")
        version = self._common("Version", "x-acs-version")
        if not version:
            raise missing("Version")
        if version not in list(Product):
            raise Refused("Specified parameter Version is not valid.", reason="InvalidVersion")
        if self._format not in ("json", "xml"):
            raise Refused("Specified parameter Format is not valid.", reason="InvalidParameter.Format")
        found = OPERATIONS.get((name, Product(version)))
        if found is None:
            what = "Specified api is not found, please check your url and method."
            raise Refused(what, reason="InvalidAction.NotFound")
        return found

    # --- who asks

    def _proved(self) -> Caller:
        """Who asks, by the signature. Raises `NotAuthenticated`."""
        if "SecurityToken" in self._said or self._request.header("x-acs-security-token"):
            raise NotAuthenticated("There are no temporary credentials here.", reason="InvalidSecurityToken.Malformed")
        claim, identities = claim_of(self._request, self._said), self._service.identities
        secret, now = identities.secret_of(claim.key_id), identities.clock()
        if secret is None and identities.knows(claim.key_id):
            raise NotAuthenticated("Specified access key is disabled.", reason="InvalidAccessKeyId.Inactive")
        verified(claim, secret, now)
        identities.nonces.use(claim.key_id, claim.nonce, claim.date, claim.date + SKEW + 1, now)
        return replace(identities.by_key(claim.key_id, self._request.origin), ids=IdStyle.PREFIXED)

    # --- what is done

    def _done(self, operation: Operation, caller: Caller) -> Told:
        _check_names(operation, self._said)
        self._check_region()
        call = Call(self._service, caller, operation, self._said, self._request.header("host"))
        with self._service.control.asked(caller, operation.name, operation.actions):
            _check_required(operation, self._said)
            return operation.handle(call)

    def _check_region(self) -> None:
        said, served = self._said.text("RegionId"), self._service.region
        if said and ((served and said != served) or not _is_region(said)):
            what = f"The specified RegionId does not exist; this server is region {self._service.control.region}."
            raise Refused(what, reason="InvalidRegionId.NotFound", field="RegionId", value=said)

    # --- how it is told

    @cached_property
    def _format(self) -> str:
        if self._is_acs3:
            return "json"
        said = self._said.text("Format").lower()
        return "xml" if said in ("", "none") else said

    def _told(self, status: int, told: Told) -> Answer:
        assert self._operation
        return self._encoded(status, {"RequestId": self._id, **told}, f"{self._operation.name}Response")

    def _encoded(self, status: int, told: dict[str, Any], root: str) -> Answer:
        body, media_type = encoded(told, root, as_json=self._format != "xml")
        name = self._operation.name if self._operation else "(none)"
        return Answer(status, body, media_type, f"alibaba {name}", {"x-acs-request-id": self._id})

    def _denied(self, error: Forbidden) -> Told:
        account, user = (self._caller.account, self._caller.user) if self._caller else ("", "")
        return {"AccessDeniedDetail": access_denied(error, account, user)}


def _is_region(text: str) -> bool:
    return len(text) <= 64 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def _check_names(operation: Operation, said: Parameters) -> None:
    """Refuse a parameter that the operation does not know: what is meant by it would be dropped in silence."""
    known = operation.known | COMMON | LEGACY | ALWAYS
    for name, value in said.values.items():
        if _pattern(name) not in known:
            raise invalid(name, "the operation has no such parameter", value)


def _check_required(operation: Operation, said: Parameters) -> None:
    """Refuse what lacks a parameter; those within lists are asked for by who reads the list."""
    for each in operation.fields:
        if each.required and "." not in each.name:
            said.required(each.name)


def _pattern(name: str) -> str:
    return ".".join("N" if part.isdigit() else part for part in name.split("."))
