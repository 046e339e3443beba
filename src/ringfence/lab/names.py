"""Names of everything that a lab makes: all carry the lab's own prefix, so that two labs can stand side by side."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from ringfence.errors import NotationError
from ringfence.model.mac import mac

DEFAULT_LAB = "lab"
"""The lab that is meant where none is named."""

RUN = Path("/run/ringfence")
"""Where labs keep their files; gone when the last lab is."""

_LAB = re.compile(r"[a-z0-9]{1,12}")
_LINK = re.compile(r"[\w.-]+")
_NOT_LINKS = frozenset({"lo", "all", "default", ".", ".."})  # taken, or directories of /proc/sys/net
_LONGEST_NAMESPACE = 255  # bytes: a namespace's name is a file's name


@dataclass(frozen=True, slots=True)
class LabNames:
    """The names of one lab. Raises `NotationError` if the lab's own name is unfit."""

    lab: str = DEFAULT_LAB

    def __post_init__(self) -> None:
        if not _LAB.fullmatch(self.lab):
            raise NotationError(f"{self.lab!r} is not a lab's name", "use 1 to 12 small letters and digits")

    @property
    def prefix(self) -> str:
        """What the name of every namespace of the lab begins with; no other lab's does."""
        return f"rf-{self.lab}-"

    @property
    def table(self) -> str:
        """The nftables table in each VPC's namespace."""
        return f"rf-{self.lab}"

    @property
    def internet(self) -> str:
        """The namespace that routes between VPCs and outside hosts."""
        return f"{self.prefix}internet"

    def vpc(self, name: str) -> str:
        """The namespace of a VPC's router."""
        return self._namespace("vpc", name)

    def instance(self, name: str) -> str:
        """The namespace of an instance: the main one of its guest."""
        return self._namespace("in", name)

    def guest(self, instance: str, namespace: str = "") -> str:
        """The namespace of the lab that is one of a guest's own: the main one, or another by its name there."""
        return self._namespace("in", f"{instance}+{namespace}" if namespace else instance)  # no name has a plus

    def outside(self, name: str) -> str:
        """The namespace of an outside host."""
        return self._namespace("out", name)

    def _namespace(self, kind: str, name: str) -> str:
        full = f"{self.prefix}{kind}-{name}"
        return full if len(full.encode()) <= _LONGEST_NAMESPACE else f"{self.prefix}{kind}-{_digest(name, 32)}"

    @property
    def directory(self) -> Path:
        """The lab's files: its world, its state, what its listeners had to say."""
        return RUN / self.lab

    @property
    def world(self) -> Path:
        """The world file of the lab; where it is, the lab is whole."""
        return self.directory / "world.yaml"

    @property
    def draft(self) -> Path:
        """The world file while the lab is changed to it."""
        return self.directory / "world.new"

    def holder(self, virtual_ip: str) -> Path:
        """The file with the name of the port that has a virtual IP now."""
        return self.directory / f"vip-{_digest(virtual_ip, 32)}"

    def watch(self, vpc: str) -> Path:
        """The file that tells a VPC's watcher what to watch."""
        return self.directory / f"watch-{_digest(vpc, 32)}"

    @property
    def overrides(self) -> Path:
        """Who let a world in though expectations of it do not hold, and why; a line of JSON each."""
        return self.directory / "overrides.jsonl"

    @property
    def lock(self) -> Path:
        """Held by whoever builds the lab or takes it down."""
        return RUN / f"{self.lab}.lock"

    @property
    def up_command(self) -> str:
        """What a user types to build it."""
        return "ringfence up FILE" + ("" if self.lab == DEFAULT_LAB else f" --lab {self.lab}")

    @property
    def down_command(self) -> str:
        """What removes this lab."""
        return "ringfence down" + ("" if self.lab == DEFAULT_LAB else f" --lab {self.lab}")


def guest_link(port: str) -> str:
    """The inner end of a port's link: the port's own name where the kernel takes it (15 bytes), else one made of it."""
    fits = len(port.encode()) <= 15 and _LINK.fullmatch(port) and port not in _NOT_LINKS
    return port if fits else f"p-{_digest(port, 12)}"


def internet_link(kind: str, name: str) -> str:
    """The internet's end of the link to a VPC (``vpc``) or to an outside host (``out``)."""
    return f"{kind}-{_digest(name, 11)}"


def near_mac(key: str) -> str:
    """The MAC address of the router's end of the link of a port, VPC, peering or host."""
    return mac(f"near {key}")


def far_mac(key: str) -> str:
    """The MAC address of the other end; a port's is `ringfence.model.mac.mac_of`."""
    return mac(f"far {key}")


def _digest(text: str, length: int) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:length].decode().lower()
