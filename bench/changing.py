"""Time from a change to its enforcement, in a small fleet and in a large one.

A change is a value of the model (a rule added, a port that joins a second group, an entry of an address group); it is
enforced when the kernel has committed it. Between the two lie the compilation that follows the change and the driver.
What it is compared with is one raw element, added to a set of the same size through the same library. The fleets stand
side by side and are measured in turns, so that whatever else the machine does meets all of them alike.

The cold apply is that of a new driver and an empty namespace: compile, render, load.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

from bench.report import Figure, Relation, Target
from bench.track import namespaces, require_root
from bench.worlds import FLEET_OFFICE, VPC, estate, fleet
from ringfence import garbage
from ringfence.backends.nftables.driver import Driver
from ringfence.backends.nftables.library import Nft
from ringfence.compile.compiler import Compilation, compile_world
from ringfence.model.address import Address, AddressRange, Family
from ringfence.model.edit import Edit, EntriesChanged, GroupChanged, PortChanged
from ringfence.model.rule import Rule

_TABLE, _RAW = "ringfence", "raw"
_CHUNK = 10_000  # elements in one command


@dataclass(frozen=True, slots=True)
class ChangeCase:
    """How much to measure: ports of the small and the large fleet, rounds, and ports of the cold apply."""

    ports: tuple[int, int]
    rounds: int
    cold: int


class _Fleet:
    """A fleet that is enforced in a namespace of its own, and takes changes; a set as large lies in another one."""

    def __init__(self, namespace: str, beside: str, ports: int) -> None:
        self.ports = ports
        self.world = fleet(ports)
        self._compilation = Compilation(self.world)
        self._driver = Driver(namespace, _TABLE)
        self._nft = Nft(beside)
        self._nft.run(f"add table inet {_RAW}\nadd set inet {_RAW} bench {{ type ipv4_addr; }}")
        for first in range(0, ports, _CHUNK):
            many = ", ".join(str(_address(number)) for number in range(first, min(ports, first + _CHUNK)))
            self._nft.run(f"add element inet {_RAW} bench {{ {many} }}")
        with garbage.paused():
            self._driver.apply(self._compilation.plan_of(VPC))

    def close(self) -> None:
        self._driver.close()
        self._nft.close()

    def enforce(self, edit: Edit) -> None:
        """From an edit to the kernel's commit."""
        changes = self._compilation.follow(edit)
        assert changes
        self._driver.follow(changes[VPC], lambda: self._compilation.plan_of(VPC))

    def add_raw(self, number: int) -> None:
        """One element through the library."""
        self._nft.run(f"add element inet {_RAW} bench {{ {_address(self.ports + number)} }}")


def _address(number: int) -> Address:
    return Address(Family.IPV4, Address.parse("20.0.0.0").value + number)


def _rule_added(it: _Fleet, round_: int) -> Edit:
    group = it.world.groups[f"sg-{round_ % len(it.world.groups)}"]
    return GroupChanged(
        replace(group, rules=(*group.rules, Rule.parse(f"in allow tcp {20_000 + round_} from 10.2.0.0/16")))
    )


def _member_joined(it: _Fleet, round_: int) -> Edit:
    port = it.world.instances[f"vm-{round_}"].primary
    return PortChanged(replace(port, groups=("sg-0",) if port.groups != ("sg-0",) else ("sg-1",)))


def _entry_added(_: _Fleet, round_: int) -> Edit:
    address = Address.parse("172.31.0.0").value + round_
    return EntriesChanged(FLEET_OFFICE, (AddressRange(Family.IPV4, address, address),))


CHANGES: dict[str, Callable[[_Fleet, int], Edit]] = {
    "rule add": _rule_added,
    "member join": _member_joined,
    "address-group entry": _entry_added,
}
"""The changes that are measured, by the names that the figures have."""


def measure_changes(case: ChangeCase) -> list[Figure]:
    """Measure both fleets and a cold apply; raises `NotRoot`."""
    require_root()
    with namespaces("small", "large", "small-raw", "large-raw") as (small, large, small_raw, large_raw):
        few, many = case.ports
        fleets = [_Fleet(small, small_raw, few), _Fleet(large, large_raw, many)]
        try:
            times = _times(fleets, case.rounds)
        finally:
            for it in fleets:
                it.close()
    figures = [figure for name in CHANGES for figure in _figures(name, case, times)]
    return [*figures, _cold(case.cold)]


def _times(fleets: list[_Fleet], rounds: int) -> dict[tuple[str, int], list[float]]:
    """Seconds by what was done and where."""
    times: dict[tuple[str, int], list[float]] = {}
    gc.collect()
    gc.freeze()  # a collection in between would walk the large fleet, whichever of the two is measured
    for round_ in range(rounds):
        for index, it in enumerate(fleets):
            for name, make in CHANGES.items():
                change = make(it, round_)
                times.setdefault((name, index), []).append(_timed(partial(it.enforce, change)))
        for index, it in enumerate(fleets):
            times.setdefault(("raw", index), []).append(_timed(partial(it.add_raw, round_)))
    gc.unfreeze()
    return times


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _figures(name: str, case: ChangeCase, times: dict[tuple[str, int], list[float]]) -> list[Figure]:
    small, large = (times[name, index] for index in (0, 1))
    few, many = case.ports
    middle = median(small)
    growth = Figure.of(
        f"{name} to enforced, {many:,} over {few:,} addresses",
        [one / middle for one in large],
        f"{median(large) * 1e3:.2f} ms / {middle * 1e3:.2f} ms",
        Target(Relation.AT_MOST, 1.5),
    )
    return [
        growth,
        *(_over_raw(name, ports, times[name, index], times["raw", index]) for index, ports in enumerate(case.ports)),
    ]


def _over_raw(name: str, ports: int, changes: list[float], raw: list[float]) -> Figure:
    middle = median(raw)
    return Figure.of(
        f"{name} to enforced, over one raw element, {ports:,} addresses",
        [one / middle for one in changes],
        f"{median(changes) * 1e3:.2f} ms / {middle * 1e3:.2f} ms",
        Target(Relation.AT_MOST, 10),
    )


def _cold(ports: int) -> Figure:
    """Compile and load of a whole VPC by a driver that knows nothing, over the raw load of as many elements."""
    world = estate(ports)
    with namespaces("cold", "elements") as (namespace, other):
        driver, nft = Driver(namespace, _TABLE), Nft(other)
        try:
            with garbage.paused():
                cold = _timed(lambda: driver.apply(compile_world(world).vpcs[VPC]))
            text = ", ".join(str(_address(number)) for number in range(ports))
            raw = _timed(
                lambda: nft.run(
                    f"add table inet {_RAW}\nadd set inet {_RAW} bench {{ type ipv4_addr; }}\n"
                    f"add element inet {_RAW} bench {{ {text} }}"
                )
            )
        finally:
            driver.close()
            nft.close()
    return Figure.of(
        f"cold apply of {ports:,} ports, over as many raw elements", [cold / raw] * 2, f"{cold:.2f} s / {raw:.2f} s"
    )
