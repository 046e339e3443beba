"""Making and removing network namespaces, what ``ip`` does in them, and the processes that live in them."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ringfence.backends.netns import NAMESPACES, inside
from ringfence.backends.nftables.library import load_library
from ringfence.errors import CannotRun, NotRoot, ToolMissing

_GRACE = 1.0  # seconds between asking a process to end and ending it
_Identity = tuple[int, int]


def check_tools() -> None:
    """Raise `NotRoot` or `ToolMissing` before anything is made."""
    if os.geteuid():
        raise NotRoot(
            "a lab makes network namespaces and kernel rules: run it as root; a world file or a server needs none"
        )
    if not shutil.which("ip"):
        raise ToolMissing("the program 'ip' is not in PATH; on Debian: apt-get install iproute2")
    load_library()


class IpRoute:
    """Runs ``ip`` in batches, one process for many commands; each inherits the descriptor of the lab's lock, if any."""

    def __init__(self, lock: int | None = None) -> None:
        self._inherited = () if lock is None else (lock,)

    def run(
        self, lines: Iterable[str], namespace: str = "", family: int = 0, *, whatever_is_there: bool = False
    ) -> None:
        """Run commands in a namespace (or in the one we are in); raises `CannotRun` at the first that fails.

        ``family`` (4 or 6) is for commands that cannot tell it from an address, such as rules. With
        ``whatever_is_there`` a command that fails is passed over: it takes away what is gone already.
        """
        text = "".join(f"{line}\n" for line in lines)
        if not text:
            return
        where = [*(["-n", namespace] if namespace else []), *([f"-{family:d}"] if family else [])]
        where += ["-force"] if whatever_is_there else []
        done = subprocess.run(
            ["ip", *where, "-batch", "-"],
            input=text,
            capture_output=True,
            text=True,
            pass_fds=self._inherited,
            check=False,
        )
        if done.returncode and not whatever_is_there:
            raise CannotRun(f"ip failed in {namespace or 'this namespace'}: {_failure(done.stderr, text)}")


def _failure(errors: str, text: str) -> str:
    """What went wrong, with the command instead of its number (``Command failed -:3``)."""
    said = " ".join(line for line in errors.splitlines() if not line.startswith("Command failed"))
    number = errors.rpartition("-:")[2].strip()
    return f"{said}: {text.splitlines()[int(number) - 1]!r}" if number.isdigit() else said


def make(namespaces: Iterable[str], ip: IpRoute) -> None:
    """Make named network namespaces."""
    ip.run(f"netns add {name}" for name in namespaces)


def named(prefix: str) -> list[str]:
    """The namespaces whose names begin with a prefix, also half-made ones."""
    if not NAMESPACES.is_dir():
        return []
    return sorted(entry.name for entry in NAMESPACES.iterdir() if entry.name.startswith(prefix))


def is_whole(namespace: str) -> bool:
    """Whether a name stands for a namespace, and is not what a kill left of making or removing one."""
    return os.stat(NAMESPACES / namespace).st_dev == os.stat("/proc/self/ns/net").st_dev


def remove(namespaces: Iterable[str], ip: IpRoute) -> None:
    """Remove namespaces with every link and table in them; half-made ones too."""
    ip.run(f"netns del {name}" for name in namespaces)


def set_sysctls(namespace: str, values: Mapping[str, object]) -> None:
    """Set kernel parameters of a namespace, such as ``net/ipv4/ip_forward``."""
    with inside(namespace):
        for name, value in values.items():
            try:
                Path("/proc/sys", name).write_text(str(value))
            except OSError as error:
                raise CannotRun(f"the kernel does not take {name}={value}: {error.strerror}") from None


def differing_sysctls(namespace: str, values: Mapping[str, object]) -> list[str]:
    """Which kernel parameters of a namespace are not what they should be, in words."""
    with inside(namespace):
        found = {name: path.read_text().strip() for name in values if (path := Path("/proc/sys", name)).exists()}
    wanted = {name: str(value) for name, value in values.items()}
    return [
        f"{name} is {found.get(name, 'not there')}, not {it}" for name, it in wanted.items() if found.get(name) != it
    ]


def end_inhabitants(namespaces: Iterable[str], program: str = "") -> None:
    """End every process that lives in one of the namespaces, this one excepted: ask first, then insist.

    With a ``program``, only those that were started with this word in their command line.
    """
    identities = {identity for name in namespaces if (identity := _identity(NAMESPACES / name))}
    deadline = time.monotonic() + 10
    while identities and (found := _inhabitants(identities, program)):
        if time.monotonic() > deadline:
            raise CannotRun(f"processes {', '.join(map(str, found))} in the lab do not end; end them and try again")
        _end(found, identities)


def _identity(path: Path) -> _Identity | None:
    try:
        found = path.stat()
    except OSError:  # gone, or a zombie's
        return None
    return found.st_dev, found.st_ino


def _inhabitants(identities: set[_Identity], program: str) -> list[int]:
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
    return [pid for pid in pids if pid != os.getpid() and _lives_in(pid, identities) and _runs(pid, program)]


def _runs(pid: int, program: str) -> bool:
    try:
        return not program or program.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it ended while we looked
        return False


def _lives_in(pid: int, identities: set[_Identity]) -> bool:
    return _identity(Path(f"/proc/{pid}/ns/net")) in identities


def _end(pids: list[int], identities: set[_Identity]) -> None:
    handles = {}
    for pid in pids:
        with suppress(ProcessLookupError):
            handles[pid] = os.pidfd_open(pid)
    try:
        for number, patience in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, 5.0)):
            for pid, handle in handles.items():
                # The number may have passed to another process before we had a handle on it.
                if _lives_in(pid, identities):
                    with suppress(ProcessLookupError):
                        signal.pidfd_send_signal(handle, number)
            if _all_ended(handles.values(), patience):
                break
    finally:
        for pid, handle in handles.items():
            os.close(handle)
            with suppress(ChildProcessError):  # another's child is another's to reap
                os.waitpid(pid, os.WNOHANG)


def _all_ended(handles: Iterable[int], patience: float) -> bool:
    deadline = time.monotonic() + patience
    waiting = select.poll()
    left = set(handles)
    for handle in left:
        waiting.register(handle, select.POLLIN)
    while left and (rest := deadline - time.monotonic()) > 0:
        for handle, _ in waiting.poll(rest * 1000):
            waiting.unregister(handle)
            left.discard(handle)
    return not left
