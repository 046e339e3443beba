"""Condition keys: what of a request a policy may ask for.

Sources: SEMANTICS.md 9.1 and 9.2; tables 2 and 3 of Huawei's policy syntax.

A key that is not here is refused when the policy is read: a condition that nothing can ever meet would silently turn
off the Deny that it stands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringfence.errors import NotationError
from ringfence.ram.document import suggest


class ValueKind(StrEnum):
    """What the values of a key, or of an operator, are."""

    STRING = "string"
    NUMBER = "number"
    DATE = "date and time"
    BOOL = "boolean"
    IP = "IP address"


CURRENT_TIME = "acs:CurrentTime"
"""When the request came: ISO 8601 with a zone, ``2026-11-22T09:30:00Z``."""
SECURE_TRANSPORT = "acs:SecureTransport"
"""``true`` if the request came over TLS, else ``false``."""
SOURCE_IP = "acs:SourceIp"
"""The address that the request came from."""
MFA_PRESENT = "acs:MFAPresent"
"""``true`` if the user has shown a second factor, else ``false``."""
USER_NAME = "g:UserName"
"""The name of the user who asks."""
USER_ID = "g:UserId"
"""The id of the user who asks."""
DOMAIN_NAME = "g:DomainName"
"""The name of the account that the user belongs to."""
RULE_PROTOCOLS = "ecs:SecurityGroupIpProtocols"
"""Protocols of the rules that the request writes (ModifySecurityGroupRule)."""
RULE_SOURCES = "ecs:SecurityGroupSourceCidrIps"
"""Source prefixes of the rules that the request writes."""

CONTEXT_KEYS: Mapping[str, ValueKind] = {
    CURRENT_TIME: ValueKind.DATE,
    SECURE_TRANSPORT: ValueKind.BOOL,
    SOURCE_IP: ValueKind.IP,
    MFA_PRESENT: ValueKind.BOOL,
    USER_NAME: ValueKind.STRING,
    USER_ID: ValueKind.STRING,
    DOMAIN_NAME: ValueKind.STRING,
    RULE_PROTOCOLS: ValueKind.STRING,
    RULE_SOURCES: ValueKind.IP,
}
"""What a request's context holds, by the one name that it has there whatever the policy calls it."""

ALIBABA_KEYS: Mapping[str, str] = {
    key: key for key in (CURRENT_TIME, SECURE_TRANSPORT, SOURCE_IP, MFA_PRESENT, RULE_PROTOCOLS, RULE_SOURCES)
}
"""Keys of policies of Version 1, and their names in the context."""
HUAWEI_KEYS: Mapping[str, str] = {
    "g:CurrentTime": CURRENT_TIME,
    "g:SourceIp": SOURCE_IP,
    "g:MFAPresent": MFA_PRESENT,
    "g:UserName": USER_NAME,
    "g:UserId": USER_ID,
    "g:DomainName": DOMAIN_NAME,
}
"""Keys of policies of Version 1.1, and their names in the context."""
ALIBABA_TAGS = ("ecs:tag/", "vpc:tag/", "acs:ResourceTag/")
"""What stands before the key of a tag of the resource, in Version 1."""
HUAWEI_TAGS = ("g:ResourceTag/",)
"""What stands before the key of a tag of the resource, in Version 1.1."""


@dataclass(frozen=True, slots=True)
class Key:
    """Where the value is: a tag of the resource, or a name in the request's context; the other of the two is empty."""

    kind: ValueKind
    name: str = ""
    tag: str = ""

    @classmethod
    def find(cls, text: str, keys: Mapping[str, str], tags: tuple[str, ...]) -> Key:
        """The key that a policy names; raises `NotationError`."""
        for prefix in tags:
            if text.startswith(prefix) and text != prefix and text.isprintable():
                return cls(ValueKind.STRING, tag=text.removeprefix(prefix))
        if text not in keys:
            known = [*keys, *(f"{prefix}<tag key>" for prefix in tags)]
            raise NotationError(f"there is no condition key {text!r}", suggest(text, known))
        return cls(CONTEXT_KEYS[keys[text]], name=keys[text])
