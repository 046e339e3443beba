"""libnftables in this process: a small call costs half a millisecond, a new `nft` process twenty times that."""

from __future__ import annotations

import ctypes
import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntFlag
from typing import Any

from ringfence.backends.netns import inside
from ringfence.backends.nftables.netlink import NFTABLES, Netlink, attribute, attributes
from ringfence.errors import KernelRefused, ToolMissing

Json = Any
"""What nft prints; its schema is in libnftables-json(5)."""

_STATELESS, _HANDLES = 1 << 2, 1 << 3
_JSON = 1 << 4
_NUMERIC = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10  # protocols, priorities, symbols, times


def load_library() -> ctypes.CDLL:
    """libnftables; raises `ToolMissing`. The program `nft` is not used: `su` leaves it out of PATH on Debian."""
    try:
        library = ctypes.CDLL("libnftables.so.1")
    except OSError:
        raise ToolMissing("libnftables is not installed; on Debian: apt-get install nftables") from None
    library.nft_ctx_new.restype = ctypes.c_void_p
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).restype = ctypes.c_char_p
    return library


_LARGE = 1 << 18  # characters
_libc = ctypes.CDLL(None)


@contextmanager
def _file_of(text: str) -> Iterator[bytes]:
    """The path of a file in memory that holds the text."""
    descriptor = os.memfd_create("nft")
    try:
        with open(descriptor, "w", encoding="utf-8", closefd=False) as file:
            file.write(text + "\n")
        yield f"/proc/self/fd/{descriptor}".encode()
    finally:
        os.close(descriptor)


# linux/netfilter/nf_tables.h
_GET_TABLE = NFTABLES << 8 | 1
_INET = 1
_TABLE_NAME, _TABLE_FLAGS = 1, 2


class TableFlags(IntFlag):
    """What is special about a table (linux/netfilter/nf_tables.h, `nft_table_flags`); later kernels may know more."""

    DORMANT = 1
    """Its chains hang on no hook."""
    OWNER = 2
    """It belongs to a process that lives, and nobody else may change it."""


class Nft:
    """nftables inside one network namespace. Use it from one thread at a time.

    Tables with flags are never read in JSON, ours or others': of such a table libnftables before 1.1.0 tells memory
    that it has freed, and writes to it, so that the process dies sooner or later ("json: fix use after free in
    table_flags_json()", netfilter-devel, November 2023). Hence there is no list of all tables here, and `table`.
    """

    def __init__(self, namespace: str) -> None:
        self._library = load_library()
        self._namespace = namespace
        self._netlink = Netlink(namespace)
        with inside(namespace):  # the context's netlink socket stays in the namespace where it was opened
            self._context = ctypes.c_void_p(self._library.nft_ctx_new(0))
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str) -> None:
        """Run commands as one transaction; raises `KernelRefused`, and then nothing has changed."""
        self._run(commands, 0)

    def flags(self, table: str) -> TableFlags | None:
        """The flags of a table of the inet family, by the kernel's own word; None if it is not there."""
        try:
            answers = self._netlink.ask(_GET_TABLE, attribute(_TABLE_NAME, table.encode() + b"\0"), family=_INET)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        return TableFlags(int.from_bytes(dict(attributes(answers[0].body))[_TABLE_FLAGS]))

    def table(self, name: str) -> list[Json]:
        """What a table of the inet family holds; it must be there, and have no `flags`."""
        found: list[Json] = json.loads(self._run(f"list table inet {name}", _JSON | _NUMERIC))["nftables"]
        return found

    def show(self, command: str) -> str:
        """Run a list command and give back its text, with handles and without counters."""
        return self._run(command, _STATELESS | _HANDLES)

    def listed(self, command: str) -> str:
        """Run a list command and give back its text, with handles and with counters."""
        return self._run(command, _HANDLES | _NUMERIC)

    def _run(self, commands: str, flags: int) -> str:
        assert self._context, "closed"
        self._library.nft_ctx_output_set_flags(self._context, flags)
        with inside(self._namespace), _file_of(commands) as path:
            # From a file, since libnftables tells an error in a string with the string's first line.
            failed = self._library.nft_run_cmd_from_filename(self._context, path)
        if len(commands) >= _LARGE:
            _libc.malloc_trim(0)  # what the library took for it does not come back by itself
        output: bytes = self._library.nft_ctx_get_output_buffer(self._context)
        errors: bytes = self._library.nft_ctx_get_error_buffer(self._context)
        if failed:
            told = errors.decode(errors="replace").strip()
            lines = (told.partition("Error: ")[2] or told).splitlines()
            raise KernelRefused(f"nftables refused the change as a whole: {': '.join(lines[:2])[:600]}")
        return output.decode()

    def close(self) -> None:
        """Give the context back."""
        if self._context:
            self._library.nft_ctx_free(self._context)
            self._context = ctypes.c_void_p()
            self._netlink.close()
