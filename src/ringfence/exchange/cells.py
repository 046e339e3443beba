"""Remotes in one cell: a prefix, ``name[id]`` of a group or address group, ``account/name[id]`` of another's group."""

from __future__ import annotations

from collections import defaultdict

from ringfence.errors import FieldProblem, NotationError
from ringfence.exchange.values import Names
from ringfence.model.address import Prefix
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote, AnyRemote, GroupRemote, Remote
from ringfence.model.world import nearest

_Named = GroupRemote | AddressGroupRemote


def remote_cell(remote: Remote, names: Names) -> str:
    """What stands for a remote. A thing that nobody has named is shown with its id for a name."""
    if not isinstance(remote, _Named):
        return str(remote)
    text = named_cell(remote, names.get(remote, remote.name))
    twin = _twin(remote)
    alike = twin is not None and twin in names and names[twin] == names.get(remote, remote.name)
    return f"{kind_of(remote)} {text}" if alike else text


def named_cell(remote: _Named, name: str) -> str:
    """``name[id]``, with the account of another one's group before it."""
    return f"{_account(remote)}{name}[{remote.name}]"


def kind_of(remote: _Named) -> str:
    """The words that may stand before a cell where a group and an address group share name and id."""
    return "group" if isinstance(remote, GroupRemote) else "address group"


def _account(remote: _Named) -> str:
    return f"{remote.account}/" if isinstance(remote, GroupRemote) and remote.account else ""


def _twin(remote: _Named) -> _Named | None:
    """The thing of the other kind with the same id."""
    if isinstance(remote, AddressGroupRemote):
        return GroupRemote(remote.name)
    return None if remote.account else AddressGroupRemote(remote.name)


class RemoteCells:
    """Reads cells of remotes by what there is: a group's name and id must both be right where both are given."""

    def __init__(self, names: Names) -> None:
        self._whole: dict[str, set[_Named]] = defaultdict(set)
        self._ids: dict[str, set[_Named]] = defaultdict(set)
        self._names: dict[str, set[_Named]] = defaultdict(set)
        for remote, name in names.items():
            if isinstance(remote, NamedPorts):
                continue
            for before in ("", f"{kind_of(remote)} "):
                self._whole[f"{before}{named_cell(remote, name)}".strip()].add(remote)
                self._ids[f"{before}{_account(remote)}{remote.name}"].add(remote)
                self._names[f"{before}{_account(remote)}{name}".strip()].add(remote)

    def read(self, field: str, text: str) -> Remote | FieldProblem:
        """The remote, or why the cell means none. An address is never taken for a name."""
        if not text:
            what, right = f"{field} is empty", "write a prefix such as 0.0.0.0/0, or a group as name[id]"
            return FieldProblem(field, what, right, "MissingParameter.Source", text)
        if found := self._whole.get(text):
            return self._only(field, text, found)
        if text == AnyRemote.ANY:
            return AnyRemote.ANY
        if prefix := _prefix(text):
            return prefix
        found = self._ids.get(text) or self._names.get(text)
        return self._only(field, text, found) if found else self._unknown(field, text)

    def _only(self, field: str, text: str, found: set[_Named]) -> Remote | FieldProblem:
        if len(found) == 1:
            return next(iter(found))
        ways = sorted(f"{kind_of(each)} {_account(each)}…[{each.name}]" for each in found)
        what = f"{text!r} may mean {' or '.join(ways)}"
        return FieldProblem(field, what, "write kind, name and id, as in 'group web[sg-1]'", "exchange.ambiguous", text)

    def _unknown(self, field: str, text: str) -> FieldProblem:
        """Tell apart: an id with another name, an address that is none, and what is not there at all."""
        named = text.rpartition("[")[2].removesuffix("]") if text.endswith("]") else ""
        if held := {whole for whole, found in self._whole.items() if any(each.name == named for each in found)}:
            what = f"{text!r} names what has the id {named}, and that is called otherwise"
            return FieldProblem(field, what, f"write {min(held, key=len)}", "exchange.name", text)
        if not named and ("/" in text or ":" in text or text[0].isdigit()):
            return _as_problem(field, text)
        code = "InvalidPrefixListId.NotFound" if text.startswith("address group ") else "InvalidSourceGroupId.NotFound"
        known = nearest(text, self._whole)
        return FieldProblem(field, f"there is no group or address group {text!r} that may be named", known, code, text)


def _prefix(text: str) -> Prefix | None:
    try:
        return Prefix.parse(text)
    except NotationError:
        return None


def _as_problem(field: str, text: str) -> FieldProblem:
    try:
        Prefix.parse(text)
    except NotationError as error:
        return FieldProblem(field, error.what, error.right, error.code, text)
    raise AssertionError(text)
