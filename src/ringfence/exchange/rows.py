"""One row of a file: the texts of its cells into a rule, or into everything that is wrong with them.

Every format is first made the same texts (`Cells`), so all of them accept and refuse the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ringfence.errors import FieldProblem, NotationError
from ringfence.exchange.cells import RemoteCells, remote_cell
from ringfence.exchange.port_cells import PortCells, ports_cell
from ringfence.exchange.values import Names
from ringfence.model.address import Family, Prefix
from ringfence.model.port_list import RulePorts
from ringfence.model.profile import Profile
from ringfence.model.rule import (
    Action,
    AnyRemote,
    Direction,
    NicType,
    Remote,
    Rule,
    check_description,
    check_ports,
    check_side,
)
from ringfence.model.service import ALL_PORTS, PortSet, Protocol

T = TypeVar("T")

DIRECTION, PRIORITY, ACTION, PROTOCOL, PORT, TYPE = "Direction", "Priority", "Action", "Protocol", "Port", "Type"
SOURCE, DESTINATION, DESCRIPTION, MODIFIED = "Source", "Destination", "Description", "Last Modified"
ID, ENABLED, SOURCE_PORT, NIC = "Id", "Enabled", "Source Port", "NIC"

EVERYTHING = "All"
"""Every port, in a cell."""
_LONGEST = 4000
"""Characters in a cell: more than 200 port ranges take, and fewer than Python takes for one number."""
_DIRECTIONS = {
    **dict.fromkeys(("inbound", "ingress", "in"), Direction.INGRESS),
    **dict.fromkeys(("outbound", "egress", "out"), Direction.EGRESS),
}
_ACTIONS = {**dict.fromkeys(("allow", "accept"), Action.ALLOW), **dict.fromkeys(("deny", "drop"), Action.DENY)}
_YES = {**dict.fromkeys(("yes", "true", ""), True), **dict.fromkeys(("no", "false"), False)}
_NICS = {"": None, **{str(nic): nic for nic in NicType}}
_FAMILIES = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}


def cells_of(rule: Rule, names: Names) -> dict[str, str]:
    """The texts of a rule whose remote is not ``any``, by column."""
    remote, local = remote_cell(rule.remote, names), str(rule.local or "")
    inward = rule.direction is Direction.INGRESS
    return {
        DIRECTION: "Inbound" if inward else "Outbound",
        PRIORITY: str(rule.priority),
        ACTION: rule.action.value.capitalize(),
        PROTOCOL: str(rule.protocol).upper().replace("V6", "v6"),
        PORT: ports_cell(rule.ports, names) or EVERYTHING,
        TYPE: ", ".join(_FAMILIES[family] for family in rule.families),
        SOURCE: remote if inward else local,
        DESTINATION: local if inward else remote,
        DESCRIPTION: rule.description,
        ENABLED: "Yes" if rule.enabled else "No",
        SOURCE_PORT: str(rule.source_ports),
        NIC: str(rule.nic or ""),
    }


@dataclass(frozen=True, slots=True)
class Cells:
    """The texts of one row by column. ``labels`` is what the file calls a column, ``said`` what it said there.

    Both are for messages, where the file says it in another way than the table.
    """

    place: int
    texts: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[FieldProblem, ...] = ()

    def __getitem__(self, column: str) -> str:
        return self.texts.get(column, "").strip()


class RowReader:
    """Reads one row; afterwards ``problems`` holds everything that is wrong with it."""

    def __init__(self, cells: Cells, remotes: RemoteCells, lists: PortCells, profile: Profile) -> None:
        self._cells, self._remotes, self._lists, self._profile = cells, remotes, lists, profile
        self.problems = list(cells.problems)

    @property
    def place(self) -> int:
        """Where the row stands."""
        return self._cells.place

    def rule(self) -> Rule | None:
        """The rule of the row; None where something is wrong with it by itself."""
        for column, text in self._cells.texts.items():
            if len(text) > _LONGEST:
                self.wrong(column, f"the cell has {len(text)} characters", f"use at most {_LONGEST}", "exchange.long")
        return None if self.problems else self._read()

    def _read(self) -> Rule | None:
        direction = self._word(DIRECTION, _DIRECTIONS, "Inbound or Outbound")
        action = self._word(ACTION, _ACTIONS, "Allow or Deny")
        protocol = self._text(PROTOCOL, Protocol.parse)
        priority, nic = self._text(PRIORITY, self._priority), self._word(NIC, _NICS, "intranet, internet or nothing")
        ports = self._ports(protocol)
        source_ports = self._text(SOURCE_PORT, lambda text: PortSet.parse(text) if text else ALL_PORTS)
        description = self._text(DESCRIPTION, lambda _: check_description(self._cells.texts.get(DESCRIPTION, "")))
        enabled = self._word(ENABLED, _YES, "Yes or No")
        far, near = (DESTINATION, SOURCE) if direction is Direction.EGRESS else (SOURCE, DESTINATION)
        remote, local = self._remote(far), self._local(near)
        if self.problems or not direction or not action or not protocol or remote is None:
            return None
        self._check(lambda: check_ports(protocol, ports or ALL_PORTS), PORT)
        self._check(lambda: check_ports(protocol, source_ports or ALL_PORTS), SOURCE_PORT)
        self._check(lambda: check_side(protocol, remote), far)
        if self.problems:
            return None
        return self._whole(
            lambda: Rule(
                direction,
                action,
                protocol,
                remote,
                ports or ALL_PORTS,
                priority or 1,
                bool(enabled),
                description or "",
                local=local,
                source_ports=source_ports or ALL_PORTS,
                nic=nic,
            ),
            near,
        )

    def _whole(self, make: Callable[[], Rule], near: str) -> Rule | None:
        """The rule as one: what is wrong now is that its own side or its interface does not go with the rest."""
        try:
            rule = make()
        except NotationError as error:
            self.wrong(near if self._cells[near] else NIC, error.what, error.right, error.code)
            return None
        self._check_families(rule)
        return None if self.problems else rule

    def _check_families(self, rule: Rule) -> None:
        """The type must be what the rule means, for it cannot narrow a group down to one family."""
        said = {word.strip().lower() for word in self._cells[TYPE].replace("/", ",").split(",") if word.strip()}
        right = ", ".join(_FAMILIES[family] for family in rule.families)
        if said and said != {_FAMILIES[family].lower() for family in rule.families}:
            what = f"the type is {self._cells[TYPE]}, and a rule with these sides and this protocol is of {right}"
            self.wrong(TYPE, what, f"write {right}, or other sides", "exchange.family")

    def wrong(self, column: str, what: str, right: str, code: str) -> None:
        """Note that something is wrong with a column."""
        said = self._cells.said.get(column, self._cells.texts.get(column, ""))
        self.problems.append(FieldProblem(self._label(column), what, right, code, said))

    def _label(self, column: str) -> str:
        return self._cells.labels.get(column, column)

    def _check(self, check: Callable[[], object], column: str) -> None:
        try:
            check()
        except NotationError as error:
            self.wrong(column, error.what, error.right, error.code)

    def _text(self, column: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(self._cells[column])
        except NotationError as error:
            self.wrong(column, error.what, error.right, error.code)
        return None

    def _word(self, column: str, words: Mapping[str, T], right: str) -> T | None:
        text = self._cells[column].lower()
        if text not in words:
            what = f"{self._cells[column]!r} is not a {self._label(column).lower()}" if text else "the cell is empty"
            self.wrong(column, what, f"write {right}", "exchange.word")
        return words.get(text)

    def _priority(self, text: str) -> int:
        if not text:
            return self._profile.default_priority
        if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 100:
            return int(text)
        raise NotationError(f"{text!r} is not a priority", "write 1 (strongest) to 100")

    def _remote(self, column: str) -> Remote | None:
        found = self._remotes.read(self._label(column), self._cells[column])
        if isinstance(found, FieldProblem):
            self.wrong(column, found.what, found.right, found.code)
            return None
        return found

    def _ports(self, protocol: Protocol | None) -> RulePorts | None:
        """Every port is said in words for TCP and UDP, so that an empty cell does not open them all."""
        text = self._cells[PORT]
        if text.lower() == EVERYTHING.lower() or (not text and protocol and not protocol.has_ports):
            return ALL_PORTS
        found = self._lists.read(self._label(PORT), text)
        if isinstance(found, FieldProblem):
            self.wrong(PORT, found.what, found.right, found.code)
            return None
        return found

    def _local(self, column: str) -> Prefix | None:
        """The port's own side: any address of it, or a prefix."""
        text = self._cells[column]
        return self._text(column, Prefix.parse) if text and text != AnyRemote.ANY else None
