"""Names inside a VPC's namespace: stable, short enough for the kernel, and the same for driver and lab."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from ringfence.compile.boxes import Kind
from ringfence.model.rule import Direction

UPLINK = "rf-uplink"
"""The VPC namespace's link to the outside."""


@lru_cache(maxsize=1 << 18)
def port_link(port: str) -> str:
    """The outer end of a port's link: 14 characters from a hash of ``instance.port`` (a link has at most 15)."""
    digest = hashlib.sha256(port.encode()).digest()
    return "rf" + base64.b32encode(digest)[:12].decode().lower()


def class_chain(class_id: int, direction: Direction) -> str:
    """The chain that judges one direction of a class."""
    return f"c{class_id:08x}-{direction.word}"


def layer_map(chain: str, kind: Kind, depth: int, content: object) -> str:
    """A layer's verdict map. The name carries a digest of the content: a changed layer is another map."""
    digest = hashlib.sha256(repr(content).encode()).hexdigest()[:8]
    return f"{chain}-{kind.family.value}{'p' if kind.ported else 'o'}{depth}-{digest}"
