"""What the vendor calls our refusals, and the form in which each version of its API tells them (apis/huawei.md 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ringfence.errors import (
    Conflict,
    Forbidden,
    InUse,
    InvalidFields,
    NotAuthenticated,
    NotFound,
    QuotaExceeded,
    Refused,
    RingfenceError,
)
from ringfence.resources.kind import Kind
from ringfence.wire.huawei.operation import Operation
from ringfence.wire.request import Fault

INTERNAL: Final = Fault(500, "VPC.0602", "The server failed; the request id tells its log where.")
_UNAVAILABLE: Final = Fault(503, "VPC.0602", "The server cannot do it now; send the request again later.")
NO_PATH: Final = Fault(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
NOT_SIGNED: Final = "Incorrect IAM authentication information"

_NOT_FOUND: Final[Mapping[str, Fault]] = {
    Kind.GROUP: Fault(404, "VPC.0603", "Securitygroup is not exist."),
    Kind.RULE: Fault(404, "VPC.0612", "SecurityGroupRule is not exist."),
    Kind.VPC: Fault(404, "VPC.0003", "VPC does not exist."),
}
_ANY_NOT_FOUND: Final = Fault(404, "VPC.2204")
_INVALID: Final[Mapping[str, str]] = {
    "security-groups": "VPC.0601",
    "security-group-rules": "VPC.0601",
    "ports": "VPC.2500",
    "sub-network-interfaces": "VPC.2500",
    "tags": "VPC.1801",
    "resource_instances": "VPC.1801",
    "resource-instances": "VPC.1801",
    "vpcs": "VPC.0101",
    "subnets": "VPC.0101",
}
"""The code of a bad parameter, by the last part of the path that says what the call is about."""
_BY_CODE: Final[Mapping[str, Fault]] = {
    "VPC.0007": Fault(400, "VPC.0007"),
    "VPC.0011": Fault(400, "VPC.0011", "EnterpriseProjectId is invalid"),
    "QuotaExceed.SecurityGroup": Fault(409, "VPC.0604", "Quota exceeded for resources: ['security_group']."),
    "QuotaExceed.AddressGroup": Fault(409, "VPC.0604", "Quota exceeded for resources: ['address_group']."),
    "QuotaExceed.NetworkAcl": Fault(409, "VPC.0604", "Quota exceeded for resources: ['firewall']."),
    "QuotaExceed.Vpc": Fault(409, "VPC.0114", "Quota exceeded for resources: ['router']."),
    "AuthorizationLimitExceed": Fault(409, "VPC.0602", "Quota exceeded for resources: ['security_group_rule']."),
    "AclLimitExceed": Fault(409, "VPC.0602"),
    "InstanceSecurityGroupLimitExceeded": Fault(400, "VPC.2500"),
    "InstanceLastSecurityGroup": Fault(400, "VPC.2500"),
    "SecurityGroupInstanceLimitExceed": Fault(409, "VPC.0602"),
    "limit.port_ranges": Fault(400, "VPC.0601"),
    "resource.protected": Fault(403, "VPC.2701"),
    "limit.tags": Fault(400, "VPC.1814"),
    "input.tag": Fault(400, "VPC.1801"),
}

_QUOTA: Final = Fault(409, "VPC.0604")
"""Any quota that has no code of its own."""
_CONFLICT: Final = Fault(409, "VPC.0602")
"""What is there already, or in use."""


def fault_of(error: Exception, operation: Operation | None = None) -> Fault:
    """What is told of an error. ``operation`` may have names of its own for some."""
    match error:
        case NotAuthenticated():
            return Fault(401, "APIGW.0301", f"{NOT_SIGNED}: {error.what}")
        case Forbidden():
            doing = error.action or "this action"
            return Fault(403, "VPC.2201", f"Policy doesn't allow <{doing}> to be performed: {error.what}")
        case RingfenceError():
            return _of_ours(error, operation)
    return INTERNAL


def _of_ours(error: RingfenceError, operation: Operation | None) -> Fault:
    code, text = _said(error)
    known = (operation.faults if operation else {}).get(code) or _known(error, code)
    if known:
        return Fault(known.status, known.code, known.message or text)
    if error.exit_code == 3:
        return _UNAVAILABLE
    status = 409 if isinstance(error, Refused) else 400
    return Fault(status, _invalid(operation), text)


def _known(error: RingfenceError, code: str) -> Fault | None:
    if isinstance(error, NotFound):
        return _NOT_FOUND.get(error.kind, _ANY_NOT_FOUND)
    found = _BY_CODE.get(code)
    if found is None and isinstance(error, QuotaExceeded):
        return _QUOTA
    return _CONFLICT if found is None and isinstance(error, Conflict | InUse) else found


def _invalid(operation: Operation | None) -> str:
    parts = operation.path.split("/") if operation else []
    return next((_INVALID[part] for part in reversed(parts) if part in _INVALID), "VPC.0601")


def _said(error: RingfenceError) -> tuple[str, str]:
    """The code and the words of a refusal: of the first field, where several are wrong."""
    match error:
        case InvalidFields():
            first = error.problems[0]
            told = f"{first.what}; {first.right}"
            return first.code, told if first.what.startswith(f"{first.field} ") else f"{first.field}: {told}"
        case Refused():
            return error.reason, str(error)
    return error.code, str(error)


def body_of(fault: Fault, version: str, request_id: str) -> dict[str, Any]:
    """The body that tells a refusal, in the form that a version has."""
    if version == "v1":
        return {"code": fault.code, "message": fault.message, "request_id": request_id}
    if version == "v2.0":
        error = {"type": _type_of(fault), "message": fault.message, "detail": "", "code": fault.code}
        return {"NeutronError": error, "request_id": request_id}
    return {"request_id": request_id, "error_code": fault.code, "error_msg": fault.message}


def _type_of(fault: Fault) -> str:
    return {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict"}.get(fault.status, "BadRequest")
