"""MAC addresses: nobody gives them, each follows from what it is of."""

from __future__ import annotations

import hashlib

from ringfence.model.topology import Port


def mac(text: str) -> str:
    """A MAC address of its own for each text, locally administered."""
    digest = hashlib.sha256(text.encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def mac_of(port: Port) -> str:
    """The MAC address of a port, which a lab's link really has: by VPC and first address.

    So it is the same before and after the port is attached, and whatever else becomes of it in its subnet.
    """
    return mac(f"port {port.vpc} {port.addresses[0]}" if port.addresses else f"port {port}")
