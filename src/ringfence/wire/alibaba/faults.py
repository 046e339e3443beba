"""What the vendor calls our refusals: status, code and message, spellings included (apis/alibaba.md 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ringfence.errors import Forbidden, InvalidFields, NotationError, NotFound, Refused, RingfenceError
from ringfence.ram.actions import ACTIONS
from ringfence.resources.kind import Kind
from ringfence.wire.alibaba.operation import Operation
from ringfence.wire.request import Fault

_INTERNAL: Final = Fault(
    500, "InternalError", "The request processing has failed due to some unknown error, exception or failure."
)
_UNAVAILABLE: Final = Fault(
    503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."
)

_NOT_FOUND: Final[Mapping[str, Fault]] = {
    Kind.GROUP: Fault(404, "InvalidSecurityGroupId.NotFound", "The specified SecurityGroupId does not exist."),
    Kind.INSTANCE: Fault(404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist."),
    Kind.PORT: Fault(404, "InvalidEniId.NotFound", "The specified NetworkInterfaceId does not exist."),
    Kind.VPC: Fault(404, "InvalidVpcId.NotFound", "Specified VPC does not exist."),
    Kind.SUBNET: Fault(404, "InvalidVSwitchId.NotFound", "The specified VSwitchId does not exist."),
    Kind.ADDRESS_GROUP: Fault(404, "InvalidPrefixListId.NotFound", "The specified prefix list was not found."),
    Kind.ACL: Fault(404, "InvalidNetworkAcl.NotFound", "The specified NetworkAcl does not exist."),
    Kind.RULE: Fault(404, "InvalidSecurityGroupRuleId.NotFound", "The specified SecurityGroupRuleId does not exist."),
}

_OF_403: Final = (
    "AuthorizationLimitExceed",
    "AclLimitExceed",
    "DependencyViolation",
    "InstanceLastSecurityGroup",
    "InvalidInstanceId.AlreadyExists",
    "InvalidOperation.DeletionProtection",
    "InvalidOperation.ResourceManagedByCloudProduct",
    "QuotaExceed.SecurityGroup",
    "QuotaExceed.Tags",
    "SecurityGroupInstanceLimitExceed",
)
_OF_404: Final = (
    "InvalidResourceGroup.NotFound",
    "InvalidSecurityGroupId.NotFound",
    "InvalidInstanceId.NotFound",
    "InvalidResourceId.NotFound",
)

_BY_CODE: Final[Mapping[str, Fault]] = {
    fault.code: fault
    for fault in (
        Fault(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."),
        Fault(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."),
        Fault(404, "InvalidRegionId.NotFound"),
        Fault(401, "InvalidOperation.SecurityGroupNotAuthorized"),
        *(Fault(403, code) for code in _OF_403),
        *(Fault(404, code) for code in _OF_404),
    )
} | {
    "quota.exceeded": Fault(403, "QuotaExceed"),
    "limit.tags": Fault(403, "QuotaExceed.Tags"),
    "input.tag": Fault(400, "InvalidTagKey.Malformed"),
    "resource.in_use": Fault(403, "DependencyViolation"),
    "resource.protected": Fault(403, "InvalidOperation.DeletionProtection"),
    "idempotency.mismatch": Fault(400, "IdempotentParameterMismatch"),
    "auth.replay": Fault(400, "SignatureNonceUsed", "Specified signature nonce was used already."),
    "auth.clock": Fault(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."),
    "auth.key": Fault(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled."),
}
"""By our stable codes, and by the vendor's where its status is not 400 or it has a message of its own."""

RAM_MESSAGE: Final = "User not authorized to operate on the specified resource, or this API doesn't support RAM."


def fault_of(error: Exception, operation: Operation | None = None) -> Fault:
    """What is told of an error. ``operation`` may have names of its own for some."""
    if isinstance(error, Forbidden):
        return Fault(403, "Forbidden.RAM", RAM_MESSAGE)
    if not isinstance(error, RingfenceError):
        return _INTERNAL
    code, text = _said(error)
    known = (operation.faults if operation else {}).get(code) or _known(error, code)
    if known is None:
        return _UNAVAILABLE if error.exit_code == 3 else Fault(400, _vendors(code), text)
    return Fault(known.status, known.code, known.message or text)


def _known(error: RingfenceError, code: str) -> Fault | None:
    if isinstance(error, NotFound) and error.kind in _NOT_FOUND:
        return _NOT_FOUND[error.kind]
    return _BY_CODE.get(code)


def _said(error: RingfenceError) -> tuple[str, str]:
    """The code and the words of a refusal: of the first field, where several are wrong."""
    match error:
        case InvalidFields():
            first = error.problems[0]
            return first.code, f"{first.what.rstrip('.')}; {first.right}." if first.right else first.what
        case Refused():
            return error.reason, str(error)
        case NotationError():
            return error.code, f"{error.what.rstrip('.')}; {error.right}."
    return error.code, str(error)


def _vendors(code: str) -> str:
    """Codes of ours that no cloud knows begin with a small letter, and are told as the vendor's general one."""
    return "InvalidParameter" if code[:1].islower() else code


def access_denied(error: Forbidden, account: str, user: str) -> dict[str, Any]:
    """What RAM's refusals tell besides (apis/alibaba.md 2.7)."""
    return {
        "AuthAction": _as_vendor(error.action),
        "AuthPrincipalDisplayName": user or account,
        "AuthPrincipalOwnerId": account,
        "AuthPrincipalType": "SubUser" if user else "RootUser",
        "PolicyType": "AccountLevelIdentityBasedPolicy",
        "NoPermissionType": "ExplicitDeny" if error.explicit else "ImplicitDeny",
        "EncodedDiagnosticMessage": "",
    }


def _as_vendor(action: str) -> str:
    found = ACTIONS.get(action)
    return found.ecs if found else action
