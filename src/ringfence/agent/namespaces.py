"""VPC namespaces that somebody else makes and wires: we enforce in those that are there, and touch nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from ringfence.backends.netns import NAMESPACES
from ringfence.backends.nftables.driver import Driver
from ringfence.backends.nftables.hits import Tally
from ringfence.lab.live import Passage
from ringfence.lab.netns import differing_sysctls, set_sysctls
from ringfence.lab.topology import FORWARDING, gate_sysctls
from ringfence.model.edit import Edit
from ringfence.model.profile import Profile
from ringfence.model.topology import Vpc
from ringfence.model.world import World

_Identity = tuple[int, int]


class _Router(NamedTuple):
    """A namespace that is there, by what tells it from a later one of its name, and the driver in it."""

    identity: _Identity
    driver: Driver


class Namespaces:
    """Every VPC has the namespace ``prefix`` + its name, if somebody has made that; see `Fabric`.

    A namespace routes from the moment on in which its first policy is in force, and no sooner.
    """

    def __init__(
        self,
        prefix: str,
        table: str = "ringfence",
        *,
        before: World | None = None,
        begun: Sequence[World] = (),
        hits: Path | None = None,
    ) -> None:
        """``table`` is the nftables table to keep in each namespace, ``hits`` a directory for what rules have matched.

        ``before`` is the world whose policy an earlier process had in force, and ``begun`` are those to which it was
        changing: without them, connections that an unfinished change should have cut live on.
        """
        self._prefix, self._table, self._hits = prefix, table, hits
        self._world, self._begun = before, tuple(begun)
        self._routers: dict[str, _Router] = {}
        self._open: dict[str, Profile] = {}

    @contextmanager
    def changing(self, world: World, since: World | None, edits: Sequence[Edit] | None) -> Iterator[Passage]:
        """Nothing has to be done around a change of policy; one that is broken off is remembered."""
        passage = Passage(self._world, self._world, self._begun, world, nullcontext)
        self._begun = (*self._begun, world)
        yield passage
        self._world, self._begun = world, ()

    def namespace(self, vpc: str) -> str:
        """See `Fabric`."""
        return self._prefix + vpc

    def driver(self, vpc: str) -> Driver | None:
        """See `Fabric`; a namespace that was made anew gets a new driver."""
        identity = _identity(self.namespace(vpc))
        known = self._routers.get(vpc)
        if known and known.identity == identity:
            return known.driver
        if known:
            self._forget(vpc)
        if identity is None:
            return None
        tally = Tally(self._hits / vpc) if self._hits else None
        driver = Driver(self.namespace(vpc), self._table, tally)
        self._routers[vpc] = _Router(identity, driver)
        return driver

    def _forget(self, vpc: str) -> None:
        self._routers.pop(vpc).driver.close()
        self._open.pop(vpc, None)

    def open(self, vpc: Vpc) -> None:
        """See `Fabric`; it does nothing while it is the same namespace and the same profile."""
        if self._open.get(vpc.name) != vpc.profile:
            set_sysctls(self.namespace(vpc.name), gate_sysctls(vpc.profile))
            self._open[vpc.name] = vpc.profile

    def closed(self, vpc: Vpc) -> list[str]:
        """See `Fabric`; what it finds, the next `open` mends."""
        found = differing_sysctls(self.namespace(vpc.name), gate_sysctls(vpc.profile))
        if found:
            self._open.pop(vpc.name, None)
        return found

    def leave(self, vpc: str) -> None:
        """See `Fabric`. Raises `CannotRun`."""
        driver = self.driver(vpc)
        if driver:
            set_sysctls(self.namespace(vpc), dict.fromkeys(FORWARDING, 0))
            driver.remove()
            self._forget(vpc)

    def close(self) -> None:
        """Give back the sockets; all policy stays in force."""
        for vpc in list(self._routers):
            self._forget(vpc)


def _identity(namespace: str) -> _Identity | None:
    """What tells a namespace from others; None if there is none, or only what a kill left of making one."""
    try:
        found = os.stat(NAMESPACES / namespace)
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino) if found.st_dev == os.stat("/proc/self/ns/net").st_dev else None
