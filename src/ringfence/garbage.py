"""Python's garbage collector, out of the way while millions of objects without cycles are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
