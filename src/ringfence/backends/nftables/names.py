"""Names inside a VPC's namespace: stable, short enough for the kernel, and the same for driver and lab."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from ringfence.compile.boxes import Kind
from ringfence.model.address import Family
from ringfence.model.rule import Direction

UPLINK = "rf-uplink"
"""The VPC namespace's link to the outside."""


@lru_cache(maxsize=1 << 18)
def port_link(port: str) -> str:
    """The outer end of a port's link: 14 characters from a hash of ``instance.port`` (a link has at most 15)."""
    return "rf" + _digest(port)


def peer_link(vpc: str) -> str:
    """A VPC namespace's link to a peered VPC, from the name of that other VPC; no port's link has such a name."""
    return "rf-" + _digest(vpc)


def subnet_chain(subnet: str, direction: Direction) -> str:
    """The chain that a packet crosses when it leaves or enters a subnet with a network ACL."""
    return f"subnet-{_digest(subnet)}-{direction.word}"


def acl_chain(acl: str, direction: Direction) -> str:
    """The chain that judges one direction of a network ACL."""
    return f"acl-{_digest(acl)}-{direction.word}"


def firewall_chain(link: str, direction: Direction) -> str:
    """The chain that judges what leaves or comes by a link to a peer or to the outside."""
    return f"fw-{link}-{direction.word}"


def address_set(group: str, family: Family, length: int) -> str:
    """The set of an address group's prefixes of one length."""
    return f"ag{family.value}-{length}-{_digest(group)}"


def _digest(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:12].decode().lower()


def class_chain(class_id: int, direction: Direction) -> str:
    """The chain that judges one direction of a class."""
    return f"c{class_id:08x}-{direction.word}"


def layer_map(chain: str, kind: Kind, depth: int, content: object) -> str:
    """A layer's verdict map. The name carries a digest of the content: a changed layer is another map."""
    digest = hashlib.sha256(repr(content).encode()).hexdigest()[:8]
    return f"{chain}-{kind.family.value}{'p' if kind.ported else 'o'}{depth}-{digest}"
