"""Telling systemd how the service is: the protocol of sd_notify(3), a datagram to a socket that it names."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """Tell systemd a state like ``READY=1``; nothing where no systemd is."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())
