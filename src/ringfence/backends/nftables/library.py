"""libnftables in this process: a small call costs half a millisecond, a new `nft` process twenty times that."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ringfence.backends.netns import inside
from ringfence.errors import KernelRefused, ToolMissing

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


class Nft:
    """nftables inside one network namespace. Use it from one thread at a time."""

    def __init__(self, namespace: str) -> None:
        self._library = load_library()
        self._namespace = namespace
        with inside(namespace):  # the context's netlink socket stays in the namespace where it was opened
            self._context = ctypes.c_void_p(self._library.nft_ctx_new(0))
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str) -> None:
        """Run commands as one transaction; raises `KernelRefused`, and then nothing has changed."""
        self._run(commands, 0)

    def read(self, command: str) -> str:
        """Run a list command and give back its JSON."""
        return self._run(command, _JSON | _NUMERIC)

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
