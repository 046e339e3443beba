"""Ports in one cell: ``22,80-90``, or ``name[id]`` of a port list."""

from __future__ import annotations

from collections import defaultdict

from ringfence.errors import FieldProblem, NotationError
from ringfence.exchange.values import Names
from ringfence.model.port_list import NamedPorts, RulePorts
from ringfence.model.service import PortSet
from ringfence.model.world import nearest


def ports_cell(ports: RulePorts, names: Names) -> str:
    """What stands for ports; nothing for all of them."""
    return f"{names.get(ports, ports.name)}[{ports.name}]" if isinstance(ports, NamedPorts) else str(ports)


class PortCells:
    """Reads cells of ports by the port lists that there are."""

    def __init__(self, names: Names) -> None:
        self._known: dict[str, set[NamedPorts]] = defaultdict(set)
        self._whole: dict[str, NamedPorts] = {}
        for each, name in names.items():
            if isinstance(each, NamedPorts):
                self._whole[ports_cell(each, names).strip()] = each
                self._known[name.strip()].add(each)
                self._known[each.name].add(each)

    def read(self, field: str, text: str) -> RulePorts | FieldProblem:
        """The ports, or why the cell means none. What can be ports is never taken for a name."""
        if not text:
            what, right = "the cell is empty", "write ports such as 80 or 8000-8100,9000, or All"
            return FieldProblem(field, what, right, NotationError.code, text)
        if whole := self._whole.get(text):
            return whole
        try:
            return PortSet.parse(text.replace(" ", ""))
        except NotationError as error:
            if text[0].isdigit() and "[" not in text:
                return FieldProblem(field, error.what, error.right, error.code, text)
        found = self._known.get(text, set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            ways = ", ".join(sorted(f"{text}[{each}]" for each in found))
            return FieldProblem(field, f"{text!r} may mean {ways}", "write name and id", "exchange.ambiguous", text)
        what = f"{text!r} is neither ports nor a port list that may be named"
        right = nearest(text, self._whole) if self._whole else "write ports such as 80 or 8000-8100,9000"
        return FieldProblem(field, what, right, "InvalidPortRangeListId.NotFound", text)
