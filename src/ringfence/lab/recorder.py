"""The recorder of a lab's drops: ``python -P -m ringfence.lab.recorder LAB``. See `ringfence.lab.drops`."""

from __future__ import annotations

import fcntl
import json
import os
import select
import sys
import time
from collections.abc import Iterator, Mapping

from ringfence.analysis.records.drops import Dropped, judge, unexplained
from ringfence.backends.netns import NAMESPACES
from ringfence.backends.nftables.droplog import DROP_CHAIN, HELD_CHAIN, DropLog
from ringfence.backends.nftables.hits import Hits
from ringfence.backends.nftables.holding import hold_table
from ringfence.errors import RingfenceError
from ringfence.lab.drops import Line, Skipped, drops_file, lock_file, older
from ringfence.lab.inforce import GRACE, InForce
from ringfence.lab.names import LabNames

_TURN = 1.0  # seconds between two looks at what is not told
_LONG = 4 << 20  # bytes of a file of records; there are two


class Recorder:
    """Hears of the drops in every VPC of a lab, has them judged, and writes them down."""

    def __init__(self, names: LabNames) -> None:
        self._names = names
        self._in_force = InForce(names)
        self._file = drops_file(names)
        self._watched: dict[str, _Watched] = {}
        self._waiting = select.poll()
        self._open: list[Dropped] = []
        self._tend()

    def turn(self) -> None:
        """Wait for a moment, and write down what has come in."""
        self._waiting.poll((_TURN if not self._open else _TURN / 10) * 1000)
        came = [dropped for watched in self._watched.values() for dropped in self._read(watched)]
        if self._in_force.refresh():
            self._tend()
        self._write(self._judge([*self._open, *came]))
        self._write([line for watched in self._watched.values() if (line := watched.unlogged.more())])

    def _tend(self) -> None:
        """Watch the VPCs that there are now; one that was removed and made anew has another namespace."""
        there = {vpc: _identity(self._names.vpc(vpc)) for vpc in self._in_force.policy.world.vpcs}
        for vpc, watched in list(self._watched.items()):
            if there.get(vpc) != watched.identity:
                self._waiting.unregister(watched.log)
                self._watched.pop(vpc).close()
        for vpc in there.keys() - self._watched.keys():
            watched = _Watched(vpc, self._names, there[vpc])
            self._watched[vpc] = watched
            self._waiting.register(watched.log, select.POLLIN)

    def _read(self, watched: _Watched) -> Iterator[Dropped]:
        vpc, end = watched.vpc, self._in_force.end
        for it in watched.log.read():
            yield Dropped(it.time, vpc, it.packet, it.tracking, end(vpc, it.incoming), end(vpc, it.outgoing))

    def _judge(self, dropped: list[Dropped]) -> list[Line]:
        """The records of what can be explained. The rest waits: what explains it may not have been written yet."""
        found: list[Line] = []
        self._open = []
        for it in dropped:
            judged = (judge(policy, it) for policy in self._in_force.policies(it.time))
            record = next(filter(None, judged), None)
            if record is None and time.time() < it.time + GRACE:
                self._open.append(it)
            else:
                found.append(record or unexplained(it))
        return found

    def _write(self, lines: list[Line]) -> None:
        if not lines:
            return
        data = "".join(json.dumps(line.as_json(), ensure_ascii=False) + "\n" for line in lines).encode()
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, data)
            length = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if length > _LONG:
            self._file.rename(older(self._file))


def _identity(namespace: str) -> tuple[int, int]:
    found = (NAMESPACES / namespace).stat()
    return found.st_dev, found.st_ino


class _Watched:
    """One VPC's namespace, and what we have open in it."""

    def __init__(self, vpc: str, names: LabNames, identity: tuple[int, int]) -> None:
        self.vpc, self.identity = vpc, identity
        namespace = names.vpc(vpc)
        self.log = DropLog(namespace)
        self.unlogged = _Unlogged(
            vpc,
            self.log,
            {DROP_CHAIN: Hits(namespace, names.table), HELD_CHAIN: Hits(namespace, hold_table(names.table))},
        )

    def close(self) -> None:
        """Let go of the namespace."""
        self.log.close()
        self.unlogged.close()


class _Unlogged:
    """What one VPC drops without telling."""

    def __init__(self, vpc: str, log: DropLog, hits: Mapping[str, Hits]) -> None:
        self._vpc, self._log, self._hits = vpc, log, hits
        self._last = self._counts()
        self._asked = time.monotonic()

    def more(self) -> Skipped | None:
        """How many there were since the last time, asked about once a second."""
        if time.monotonic() < self._asked + _TURN:
            return None
        self._asked, before = time.monotonic(), self._last
        self._last = self._counts()
        # A count that went down is that of a chain which was written anew.
        more = sum(now - then if now >= then else now for now, then in zip(self._last, before, strict=True))
        return Skipped(time.time(), self._vpc, more) if more else None

    def _counts(self) -> list[int]:
        return [*(hits.of_chain(chain).packets for chain, hits in self._hits.items()), self._log.lost]

    def close(self) -> None:
        """Ask no more."""
        for hits in self._hits.values():
            hits.close()


def main(lab: str) -> None:
    """Record until ended, or until the lab is gone."""
    os.chdir("/")
    names = LabNames(lab)
    recorder = Recorder(names)  # hears from here on
    lock = os.open(lock_file(names), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    while True:
        recorder.turn()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (RingfenceError, OSError) as error:
        sys.exit(str(error))
