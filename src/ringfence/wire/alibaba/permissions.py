"""Rules as Alibaba's APIs say them: the parameters of one "permission", read and told (apis/alibaba.md 2.8).

What is said means things by their ids alone. Everything that is more than the form of a parameter is for the rooms
behind: here a text becomes one of our notation, or is refused by the vendor's code for that parameter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from ringfence.control.draft import Draft
from ringfence.errors import InvalidFields, NotationError, Refused
from ringfence.model.address import Family, Prefix
from ringfence.model.rule import Action, NicType
from ringfence.model.service import PortRange, Protocol
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.alibaba.groups import BAD_DESCRIPTION
from ringfence.wire.alibaba.parameters import Parameters, invalid, missing
from ringfence.wire.alibaba.ways import NO_PORTS, OWNER_FIELDS, Way

Rule = dict[str, Any]
"""A rule in the fields of our own notation."""
ALL_PORTS = "1/65535"
_POLICIES: Final = {"accept": Action.ALLOW.value, "drop": Action.DENY.value}
_NICS: Final = {nic.value: nic.value for nic in NicType}
_RANGE: Final = re.compile(r"(-?[0-9]{1,10})/(-?[0-9]{1,10})", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_LONGEST_DESCRIPTION = 512


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what requests say of rules of one direction of a group."""

    draft: Draft
    way: Way
    classic: bool
    """Whether the group is for the classic network, where a rule is for one of two interfaces."""

    def rule(self, said: Parameters) -> Rule:
        """The rule that some parameters say; raises `InvalidFields` or `Refused` with the vendor's codes."""
        protocol = self._protocol(said)
        remote, prefix = self._remote(said)
        found: Rule = {
            "direction": self.way.direction.value,
            "action": said.choice("Policy", _POLICIES, Action.ALLOW.value, "InvalidPolicy.Malformed"),
            "protocol": str(protocol),
            "ports": self._ports(said, protocol),
            "remote": remote,
            "local": self._local(said, protocol, prefix),
            "source_ports": _range(said, "SourcePortRange", "InvalidSourcePortRange.Malformed", protocol),
            "nic": self._nic(said, is_group=remote.startswith("group ")),
            "description": _description(said),
        }
        if prefix:
            _check_family(said, protocol, prefix)
        if "Priority" in said:
            found["priority"] = _priority(said)
        return found

    def _protocol(self, said: Parameters) -> Protocol:
        text = said.required("IpProtocol")
        try:
            return Protocol.parse(text)
        except NotationError as error:
            known = "ValueNotSupported" if _WORD.fullmatch(text) else "Malformed"
            raise _wrong(said, "IpProtocol", f"InvalidIpProtocol.{known}", error) from None

    def _ports(self, said: Parameters, protocol: Protocol) -> str:
        listed = said.text("PortRangeListId")
        if "PortRange" in said or not listed:
            if protocol.has_ports and "PortRange" not in said:
                raise missing(f"{said.path}PortRange")
            return _range(said, "PortRange", "InvalidPortRange.Malformed", protocol)
        if not protocol.has_ports:
            what = f"a port list cannot stand with protocol {protocol}"
            raise invalid("PortRangeListId", what, listed, "InvalidParam.ProtocolNotSupportPortRangeList")
        if self.draft.usable(Kind.PORT_LIST, listed) is None:
            raise invalid(f"{said.path}PortRangeListId", "there is none", listed, "InvalidPortRangeListId.NotFound")
        return listed

    # --- sides

    def _remote(self, said: Parameters) -> tuple[str, Prefix | None]:
        """Whom the rule is about: a prefix, else a group, else a prefix list (SEMANTICS.md 1.2)."""
        far = self.way.far
        if prefix := _prefix(said, far):
            return str(prefix), prefix
        if f"{far}GroupId" in said:
            return self._group(said), None
        if id_ := said.text(f"{far}PrefixListId"):
            if self.draft.usable(Kind.ADDRESS_GROUP, id_) is None:
                raise invalid(f"{said.path}{far}PrefixListId", "there is none", id_, "InvalidPrefixListId.NotFound")
            return id_, None
        what = f"One of {', '.join(self.way.far_fields)} is mandatory for this action."
        raise Refused(what, reason=f"MissingParameter.{far}", field=f"{said.path}{far}CidrIp")

    def _group(self, said: Parameters) -> str:
        far, own = self.way.far, self.draft.caller.account
        id_ = said.text(f"{far}GroupId")
        found = self.draft.get(Kind.GROUP, id_)
        if found is None or not self._is_owned_as_said(said, found):
            right = "give the id of a group, and whose it is where it is another account's"
            raise invalid(f"{said.path}{far}GroupId", right, id_, f"Invalid{far}GroupId.NotFound")
        return f"group {id_}" if found.account == own else f"group {found.account}/{id_}"

    def _is_owned_as_said(self, said: Parameters, group: Resource) -> bool:
        """Whether the group is of the account that the request names; of the caller's own, if it names none."""
        pairs = zip(self.way.owner_fields, OWNER_FIELDS, strict=True)
        ids, names = ({said.text(name) for name in pair} - {""} for pair in pairs)
        account = self.draft.state.get(Kind.ACCOUNT, group.account)
        called = {group.account, account.name if account else ""}
        return (
            ids <= {group.account} and names <= called if ids or names else group.account == self.draft.caller.account
        )

    def _local(self, said: Parameters, protocol: Protocol, far: Prefix | None) -> str:
        near = _prefix(said, self.way.near)
        if near is None:
            return ""
        _check_family(said, protocol, near)
        if far and far.family is not near.family:
            raise invalid(said.path + self.way.near_fields[0], "use one family", str(near), "InvalidParameter.Conflict")
        if far == near:
            right = "leave one of source and destination out"
            raise invalid(said.path + self.way.near_fields[0], right, str(near), "InvalidParamter.Conflict")
        return str(near)

    def _nic(self, said: Parameters, *, is_group: bool) -> str | None:
        """The interface, where it is not the one that is meant if nothing is said."""
        nic = said.choice("NicType", _NICS, code="InvalidNicType.ValueNotSupported")
        usual = NicType.INTERNET if self.classic and not is_group else NicType.INTRANET
        if nic == NicType.INTERNET and is_group:
            code, right = f"Invalid{self.way.far}GroupId.Mismatch", "use intranet: a group is known by those addresses"
            raise invalid(f"{said.path}NicType", right, nic, code)
        return None if nic in ("", usual) else nic


def _range(said: Parameters, name: str, code: str, protocol: Protocol) -> str:
    """Ports in our notation, empty for all; `OperationDenied` where the protocol has none, or must have some."""
    text = said.text(name, NO_PORTS if not protocol.has_ports or name == "SourcePortRange" else "")
    match = _RANGE.fullmatch(text)
    if match is None:
        raise invalid(said.path + name, "write first/last", text, code)
    if text == NO_PORTS:
        if protocol.has_ports and name in said and name == "PortRange":
            raise _mismatch(said, name, text, protocol)
        return ""
    try:
        ports = PortRange.parse(f"{match[1]}-{match[2]}")
    except NotationError as error:
        raise _wrong(said, name, code, error) from None
    if not protocol.has_ports:
        raise _mismatch(said, name, text, protocol)
    return "" if text == ALL_PORTS else str(ports)


def _mismatch(said: Parameters, name: str, text: str, protocol: Protocol) -> Refused:
    right = "first/last" if protocol.has_ports else NO_PORTS
    what = f"The specified IpProtocol {protocol} and {name} {text} do not fit; use {right}."
    return Refused(what, reason="OperationDenied", field=said.path + name, value=text)


def _prefix(said: Parameters, side: str) -> Prefix | None:
    """The prefix of a side; raises `InvalidFields`, also where both families are said."""
    names = {Family.IPV4: f"{side}CidrIp", Family.IPV6: f"Ipv6{side}CidrIp"}
    given = [(family, name) for family, name in names.items() if name in said]
    if len(given) > 1:
        right = "give an IPv4 or an IPv6 prefix, a rule for each"
        raise invalid(said.path + given[1][1], right, said.text(given[1][1]), f"InvalidParam.{side}Ip")
    for family, name in given:
        code = f"Invalid{side}CidrIp.Malformed" if family is Family.IPV4 else f"InvalidParam.{name}"
        try:
            prefix = Prefix.parse(said.text(name))
        except NotationError as error:
            raise _wrong(said, name, code, error) from None
        if prefix.family is not family:
            raise invalid(said.path + name, f"give an {family} prefix", said.text(name), code)
        return prefix
    return None


def _check_family(said: Parameters, protocol: Protocol, prefix: Prefix) -> None:
    if prefix.family not in protocol.families:
        own, other = (4, 6) if prefix.family is Family.IPV6 else (6, 4)
        code = f"InvalidParam.Ipv{own}ProtocolConflictWithIpv{other}Address"
        raise invalid(f"{said.path}IpProtocol", f"{protocol} does not exist there", str(prefix), code)


def _description(said: Parameters) -> str:
    text = said.text("Description")
    if len(text) > _LONGEST_DESCRIPTION or not text.isprintable():
        right = f"use at most {_LONGEST_DESCRIPTION} characters in one line"
        raise invalid(f"{said.path}Description", right, text, BAD_DESCRIPTION)
    return text


def _priority(said: Parameters) -> int:
    text = said.text("Priority")
    if not re.fullmatch(r"-?[0-9]{1,9}", text, re.ASCII):
        raise invalid(f"{said.path}Priority", "use a number from 1 to 100", text, "InvalidPriority.Malformed")
    return said.number("Priority", 1, 1, 100, "InvalidPriority.ValueNotSupported")


def _wrong(said: Parameters, name: str, code: str, error: NotationError) -> InvalidFields:
    problem = invalid(said.path + name, f"{error.what}; {error.right}", said.text(name), code).problems[0]
    return InvalidFields((replace(problem, value=said.text(name)),))
