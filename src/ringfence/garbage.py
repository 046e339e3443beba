"""Python's garbage collector, out of the way while millions of objects without cycles are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OFTEN = 10_000  # new objects after which a server's collector looks through them


@contextmanager
def paused() -> Iterator[None]:
    """Pause the collector for the block.

    Compiling a large world makes values that hold no cycles, and a collector that looks at all of them again and again
    makes the time grow faster than the world.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def settled() -> Iterator[None]:
    """Leave alone for the block what is there when it begins, as it stays: a server's state.

    To look through the resources of 10,000 ports takes 0.3 s, in which nobody is answered. What requests leave behind
    has few cycles and is looked through less often than the collector would: they are 40 µs of a change of one rule.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OFTEN, before[1], before[2])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
