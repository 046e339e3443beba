"""What an enforcer needs to know of the place where it enforces: which VPCs are there, and how a change is framed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ringfence.backends.nftables.driver import Driver
from ringfence.lab.lab import Lab
from ringfence.lab.live import Passage
from ringfence.lab.netns import differing_sysctls, set_sysctls
from ringfence.lab.topology import gate_sysctls
from ringfence.model.edit import Edit
from ringfence.model.topology import Vpc
from ringfence.model.world import World


class Fabric(Protocol):
    """Network namespaces, one a VPC, in which policy is enforced. Not for several threads at a time."""

    def changing(
        self, world: World, since: World | None, edits: Sequence[Edit] | None
    ) -> AbstractContextManager[Passage]:
        """Frame a change to a valid world; ``edits``, if they are known, are all that differs ``since`` another."""

    def namespace(self, vpc: str) -> str:
        """The name of a VPC's namespace, there or not."""

    def driver(self, vpc: str) -> Driver | None:
        """The driver of a VPC: always the same one while the namespace is. None if the namespace is not there."""

    def open(self, vpc: Vpc) -> None:
        """Have the namespace track connections as the VPC's profile says, and route, now that its policy is in force.

        Raises `CannotRun`.
        """

    def closed(self, vpc: Vpc) -> list[str]:
        """The kernel parameters of a namespace that are not as `open` left them, in words."""

    def leave(self, vpc: str) -> None:
        """Stop routing in the namespace of a VPC that is no more, and take away our table."""


class LabFabric:
    """A lab, in which everything is ours: links are plugged and unplugged as the world says."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @contextmanager
    def changing(self, world: World, since: World | None, edits: Sequence[Edit] | None) -> Iterator[Passage]:
        """See `Lab.changing`; raises `LabMissing`, `CannotRun`."""
        with self.lab.changing(world, since=since, edits=edits) as passage:
            yield passage

    def namespace(self, vpc: str) -> str:
        """See `Fabric`."""
        return self.lab.names.vpc(vpc)

    def driver(self, vpc: str) -> Driver:
        """The lab's own."""
        return self.lab.driver(vpc)

    def open(self, vpc: Vpc) -> None:
        """See `Fabric`."""
        set_sysctls(self.namespace(vpc.name), gate_sysctls(vpc.profile))

    def closed(self, vpc: Vpc) -> list[str]:
        """See `Fabric`."""
        return differing_sysctls(self.namespace(vpc.name), gate_sysctls(vpc.profile))

    def leave(self, vpc: str) -> None:
        """The namespace is gone: the lab has removed it."""
