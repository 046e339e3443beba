"""When links carry packets, by the kernel's own word (rtnetlink(7)).

That both ends of a link are up is not enough. The end that was up first has a queue that drops whatever is sent, and
tells the sender nothing of it, until the kernel's link watch has come round: on a busy machine that took 0.7 seconds.
To ask for one link brings it round at once (since Linux 6.8, `rtnl_getlink`); an older kernel is asked until it has.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from ringfence.backends.netns import inside
from ringfence.backends.nftables.netlink import attribute, attributes, messages
from ringfence.errors import CannotRun

# linux/rtnetlink.h, if_link.h, if.h
_NETLINK_ROUTE, _GET_LINK, _REQUEST, _ERROR = 0, 18, 1, 2
_NAME, _STATE = 3, 16
_STATES = ("unknown", "not present", "down", "without its other end", "testing", "dormant", "up")
_HEADER, _ABOUT, _CODE = struct.Struct("=IHHII"), struct.Struct("=BxHiII"), struct.Struct("=i")
_LARGEST = 1 << 16  # bytes of one reply
_PATIENCE, _AGAIN = 10.0, 0.002  # seconds


class Spot(NamedTuple):
    """An interface of a namespace."""

    namespace: str
    link: str


def await_carrying(spots: Iterable[Spot], patience: float = _PATIENCE) -> None:
    """Wait until each interface carries packets; raises `CannotRun` if one does not within ``patience`` seconds."""
    for namespace, those in groupby(sorted(spots), key=lambda spot: spot.namespace):
        with inside(namespace):
            asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE)
        with asking:
            for spot in those:
                _await(asking, spot, patience)


def _await(asking: socket.socket, spot: Spot, patience: float) -> None:
    deadline = time.monotonic() + patience
    while (state := _state(asking, spot)) != "up":
        if time.monotonic() > deadline:
            raise CannotRun(
                f"link {spot.link} of namespace {spot.namespace} is {state} and was for {patience:g} seconds"
            )
        time.sleep(_AGAIN)


def _state(asking: socket.socket, spot: Spot) -> str:
    about = _ABOUT.pack(0, 0, 0, 0, 0) + attribute(_NAME, spot.link.encode() + b"\0")
    asking.send(_HEADER.pack(_HEADER.size + len(about), _GET_LINK, _REQUEST, 0, 0) + about)
    ((_, _, answer),) = messages(asking.recv(_LARGEST))
    if answer.kind == _ERROR:
        reason = os.strerror(-_CODE.unpack_from(answer.body)[0])
        raise CannotRun(f"no link {spot.link} in namespace {spot.namespace}: {reason}")
    told = dict(attributes(answer.body[_ABOUT.size - 4 :]))  # four bytes are read as netfilter's subheader
    return _STATES[told[_STATE][0]]
