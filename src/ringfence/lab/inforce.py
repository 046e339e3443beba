"""The policy that a lab enforces, for processes that look on while it changes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from ringfence import worldfile
from ringfence.analysis.records.drops import OUTSIDE
from ringfence.backends.nftables.names import UPLINK, peer_link, port_link
from ringfence.errors import WorldFileError
from ringfence.lab.names import LabNames
from ringfence.lab.virtual import as_held, holders
from ringfence.model.topology import Port
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy

GRACE = 1.0
"""Seconds about a switch in which one packet may be judged by the old policy and the next by the new one."""


class InForce:
    """The policy that a lab enforces; call `refresh` to follow its changes."""

    def __init__(self, names: LabNames) -> None:
        self._names = names
        self._version: tuple[int, int] | None = None
        self._filed = World()
        self._changed = 0.0
        self._before: Policy | None = None
        self._drafted: tuple[tuple[int, int], Policy | None] = ((0, 0), None)
        self.policy = Policy(self._filed)
        """The present one, with each virtual IP at the port that has it now."""
        self._links: dict[str, Mapping[str, Port | str]] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Read what has changed; whether anything has. Raises `OSError` if the lab is gone."""
        found = self._names.world.stat()
        version = found.st_mtime_ns, found.st_ino
        if version != self._version:
            self._filed = worldfile.parse(self._names.world.read_text(encoding="utf-8"), str(self._names.world))
        world = as_held(self._filed, holders(self._filed, self._names))
        if version == self._version and world.virtual_ips == self.policy.world.virtual_ips:
            return False
        self._before = self.policy if self._version else None
        self.policy, self._version, self._changed = Policy(world), version, time.time()
        self._links.clear()
        return True

    def policies(self, moment: float) -> Iterator[Policy]:
        """What may have judged a packet then: the present policy, one that is to come, one that went about then."""
        yield self.policy
        if self._before and moment < self._changed + GRACE:
            yield self._before
        if coming := self._coming():
            yield coming

    def _coming(self) -> Policy | None:
        try:
            found = self._names.draft.stat()
            version = found.st_mtime_ns, found.st_size
            if version != self._drafted[0]:
                world = worldfile.parse(self._names.draft.read_text(encoding="utf-8"), str(self._names.draft))
                self._drafted = version, Policy(as_held(world, holders(world, self._names)))
        except (FileNotFoundError, WorldFileError):  # there is none, or only the beginning of one
            return None
        return self._drafted[1]

    def end(self, vpc: str, link: str) -> Port | str:
        """The port of a link; or a name for what is behind it."""
        if vpc not in self._links:
            self._links[vpc] = _ends(self.policy.world, vpc)
        return self._links[vpc].get(link, link)


def _ends(world: World, vpc: str) -> Mapping[str, Port | str]:
    ports = {port_link(str(port)): port for port in world.ports if port.vpc == vpc}
    return {UPLINK: OUTSIDE, **{peer_link(peer): f"peer {peer}" for peer in world.peers_of(vpc)}, **ports}
