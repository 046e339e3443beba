"""A VPC's watcher of virtual IPs: ``python -I -m ringfence.lab.watcher FILE``.

It lives in the VPC's namespace and sees what a guest says when it takes over an address: a gratuitous ARP (IPv4) or an
unsolicited neighbour advertisement (IPv6). If the port that it comes from is one of those behind the virtual IP, it
leads the address there, forgets the connections to and from it, and writes down who has it now. It decides nothing
about policy. FILE is JSON, written by `ringfence.lab.virtual`. It says ``ready`` on standard output once it watches.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ringfence.lab.claims import ADVERTISEMENT, ARP_TYPE, claimed_by_advertisement, claimed_by_arp
from ringfence.lab.conntrack import forget_addresses
from ringfence.lab.lines import way
from ringfence.lab.packets import IPV6_TYPE
from ringfence.model.address import Address
from ringfence.model.service import ICMPV6

_SOL_PACKET, _IGNORE_OUTGOING, _ATTACH_FILTER = 263, 23, 26
_SNAP = 256


class Watched:
    """One virtual IP: its addresses, the ports that may have it by their links, and the file that says which has."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.addresses = [Address.parse(text) for text in told["addresses"]]
        self.ports: Mapping[str, str] = told["ports"]
        self._file = Path(told["holder"])

    @property
    def holder(self) -> str:
        """The port that has it."""
        return self._file.read_text(encoding="utf-8")

    @holder.setter
    def holder(self, port: str) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(port, encoding="utf-8")
        draft.rename(self._file)


class Watcher:
    """Moves the virtual IPs of one VPC; all addresses of one move together."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._namespace: str = told["namespace"]
        watched = [Watched(each) for each in told["virtual_ips"]]
        self._by_address = {address: each for each in watched for address in each.addresses}

    def claim(self, address: Address, link: str) -> None:
        """Somebody at a link says that it has an address now."""
        vip = self._by_address.get(address)
        port = vip.ports.get(link) if vip else None
        if vip and port and vip.holder != port:
            lines = "".join(f"{way(it.host_prefix, link)}\n" for it in vip.addresses)
            subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True)
            forget_addresses(self._namespace, vip.addresses)
            vip.holder = port

    def watch(self) -> Iterator[None]:
        """Watch for ever; yields once it does."""
        ready = selectors.DefaultSelector()
        advertisements = _listen(IPV6_TYPE)
        _keep_advertisements_only(advertisements)
        ready.register(_listen(ARP_TYPE), selectors.EVENT_READ, claimed_by_arp)
        ready.register(advertisements, selectors.EVENT_READ, claimed_by_advertisement)
        yield
        while True:
            for key, _ in ready.select():
                assert isinstance(key.fileobj, socket.socket)
                data, (link, *_) = key.fileobj.recvfrom(_SNAP)
                if address := key.data(data):
                    self._try(address, link)

    def _try(self, address: Address, link: str) -> None:
        try:
            self.claim(address, link)
        except Exception:
            traceback.print_exc()  # the next claim may do better, and whoever asked for a move will say that it failed


def _listen(ethertype: int) -> socket.socket:
    """A socket for what comes in on any link, without link headers."""
    listening = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ethertype))
    listening.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
    return listening


def _keep_advertisements_only(listening: socket.socket) -> None:
    """A filter in the kernel (linux/filter.h): next header ICMPv6, then the type. Other traffic need not come here."""
    load, go_on_if, give = 0x30, 0x15, 0x06
    code = [(load, 0, 0, 6), (go_on_if, 0, 3, ICMPV6), (load, 0, 0, 40), (go_on_if, 0, 1, ADVERTISEMENT)]
    program = b"".join(struct.pack("=HBBI", *each) for each in [*code, (give, 0, 0, _SNAP), (give, 0, 0, 0)])
    held = ctypes.create_string_buffer(program)
    fprog = struct.pack("@HP", len(code) + 2, ctypes.addressof(held))
    listening.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, fprog)


def main(file: str) -> None:
    """Watch until ended."""
    os.chdir("/")
    for _ in Watcher(json.loads(Path(file).read_text(encoding="utf-8"))).watch():
        os.write(1, b"ready\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    main(sys.argv[1])
