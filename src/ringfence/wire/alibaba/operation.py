"""Operations of Alibaba's APIs: each names the actions that allow it, the parameters it takes, and what answers it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from ringfence.control.control import Once
from ringfence.control.draft import Draft
from ringfence.errors import Refused
from ringfence.ram.actions import Action, check_named
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.request import Asked, Fault, Told, changed

_TOKEN_LENGTH = 64


class Product(StrEnum):
    """The products whose operations are served, by the version of their API."""

    ECS = "2014-05-26"
    VPC = "2016-04-28"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter that an operation takes. In a list its name has ``N`` for the number: ``Permissions.N.Policy``."""

    name: str
    doc: str = ""
    required: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation. ``actions`` are those that may be asked for: nothing can be served that names none.

    ``handle`` gives what is told besides the RequestId. ``ignored`` are the vendor's parameters that have nothing to do
    with security groups: they are taken, and mean nothing. What is named nowhere is refused. ``faults`` are what
    refusals are called here and not elsewhere, by our code for them.
    """

    name: str
    product: Product
    doc: str
    actions: tuple[Action, ...]
    handle: Callable[[Call], Told]
    fields: tuple[Field, ...] = ()
    ignored: frozenset[str] = frozenset()
    faults: Mapping[str, Fault] = field(default_factory=dict)
    own: bool = False
    """Whether everybody may ask for it, as it tells nothing of anybody."""

    def __post_init__(self) -> None:
        if not self.own:
            check_named(self.name, self.actions)

    @cached_property
    def known(self) -> frozenset[str]:
        """The names of all parameters that it takes, those that mean nothing too."""
        return frozenset(each.name for each in self.fields) | self.ignored


@dataclass(frozen=True)
class Call(Asked):
    """A request for an operation, of a caller who has proved who they are."""

    operation: Operation
    said: Parameters
    host: str
    """The name under which the request reached the server."""

    @property
    def region(self) -> str:
        """The region that the request is about."""
        return self.said.text("RegionId") or self.control.region

    def change(self, work: Callable[[Draft], Told]) -> Told:
        """Make a change: once for each ClientToken; none for a DryRun, whose success is a refusal of its own."""
        dry_run = self.said.flag("DryRun")
        told = changed(self.control, self.caller, self.operation.name, work, dry_run=dry_run, once=self._once())
        if dry_run:
            raise Refused("Request validation has been passed with DryRun flag set.", reason="DryRunOperation")
        return told

    def _once(self) -> Once | None:
        token = self.said.text("ClientToken")
        if not token:
            return None
        if len(token) > _TOKEN_LENGTH or not token.isascii() or not token.isprintable():
            right = f"use at most {_TOKEN_LENGTH} ASCII characters"
            raise invalid("ClientToken", right, token, "InvalidClientToken.ValueNotSupported")
        said = {name: value for name, value in self.said.values.items() if name not in _OF_THE_TRANSPORT}
        text = repr((self.operation.name, sorted(said.items())))
        return Once(
            f"ClientToken {self.caller.user} {token}", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        )


_SIGNATURE = {"SignatureMethod", "SignatureVersion", "SignatureType", "SignatureNonce", "Signature"}
COMMON = frozenset({"Action", "Version", "Format", "AccessKeyId", "Timestamp", "SecurityToken", *_SIGNATURE})
"""Parameters of the RPC style itself (apis/alibaba.md 2.2)."""
LEGACY = frozenset({"OwnerAccount", "OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"})
"""Parameters that every operation takes; whose owner they name can only be the caller."""
ALWAYS = frozenset({"RegionId", "ClientToken", "DryRun"})
"""Parameters that mean the same for every operation."""
_OF_THE_TRANSPORT = COMMON | {"ClientToken"}
