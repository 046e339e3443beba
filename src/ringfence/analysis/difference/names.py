"""What sets of classes are called: as short as it can be said, and nothing left out."""

from __future__ import annotations

from functools import cached_property

from ringfence.analysis.difference.joint import Joint
from ringfence.analysis.sets.sieve import bits
from ringfence.model.address import AddressRange

_SHOWN = 6
"""How many names one line shows to people."""


class Names:
    """Names the classes of two worlds, in the words of the one after."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint

    def of(self, which: int) -> tuple[str, ...]:
        """The names of a set: a VPC where all of it is meant, classes, and what is meant of the outside."""
        found = []
        for vpc, own in self._vpcs.items():
            if own.bit_count() > 1 and not own & ~which:
                found.append(f"everybody in VPC {vpc}")
                which &= ~own
        inside = (self._joint.told[each].label for each in bits(which & ~self._outside))
        return (*found, *inside, *self._out_there(which & self._outside))

    def shown(self, which: int) -> str:
        """The same for people: many names are counted."""
        names = self.of(which)
        more = (f"{len(names) - _SHOWN + 1} more",) if len(names) > _SHOWN else ()
        return ", ".join((*names[: _SHOWN - len(more)], *more))

    @cached_property
    def _vpcs(self) -> dict[str, int]:
        sides = self._joint.before, self._joint.after
        vpcs = sorted({name for side in sides for name in side.world.vpcs})
        return {name: sides[0].in_vpc(name) | sides[1].in_vpc(name) for name in vpcs}

    @cached_property
    def _outside(self) -> int:
        return self._joint.before.outside | self._joint.after.outside

    def _out_there(self, which: int) -> tuple[str, ...]:
        if not which:
            return ()
        others = self._outside & ~which
        if not others:
            return ("outside",)
        named, missing = self._ranges(which)
        if len(missing) < len(named):
            return (f"outside but for {', '.join(map(self._called, missing))}",)
        return tuple(
            f"{called} (outside)" if called == str(it) else called for it in named for called in [self._called(it)]
        )

    def _ranges(self, which: int) -> tuple[list[AddressRange], list[AddressRange]]:
        """What classes outside have, as few runs as there may be; and what the others there have."""
        has = bin(which)[:1:-1].ljust(len(self._joint.told), "0")
        found: tuple[list[tuple[int, int]], list[tuple[int, int]]] = [], []
        for first, last, index in self._runs:
            own = found[has[index] == "0"]
            if own and own[-1][1] + 1 == first:
                own[-1] = own[-1][0], last
            else:
                own.append((first, last))
        named, missing = ([AddressRange(self._joint.family, *run) for run in runs] for runs in found)
        return named, missing

    @cached_property
    def _runs(self) -> list[tuple[int, int, int]]:
        """The ranges of the classes outside in their order, with the index of the class."""
        ends = (self._joint.told[each] for each in bits(self._outside))
        return sorted((run.first, run.last, end.index) for end in ends for run in end.ranges)

    def _called(self, run: AddressRange) -> str:
        hosts = self._joint.after.world.outside.values()
        names = [host.name for host in hosts if any(address in run for address in host.addresses)]
        return f"{run} ({', '.join(names)})" if names else str(run)
