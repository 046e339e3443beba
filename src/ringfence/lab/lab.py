"""A lab: a world built of network namespaces on this machine, enforced, and open to real packets."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from ringfence import garbage, worldfile
from ringfence.backends.netns import inside
from ringfence.backends.nftables.driver import Driver
from ringfence.compile.plan import compile_world
from ringfence.errors import InvalidInput, LabExists, LabMissing, ToolMissing, UnknownName
from ringfence.lab.locking import discard, locked
from ringfence.lab.names import DEFAULT_LAB, LabNames
from ringfence.lab.netns import IpRoute, check_tools, end_inhabitants, named, remove
from ringfence.lab.probe import Observation, Prober
from ringfence.lab.serving import start_listeners
from ringfence.lab.topology import build, open_gates, targets
from ringfence.lab.verify import Progress, Report, Row, check_expectations, verify
from ringfence.model.flow import Flow
from ringfence.model.world import World, nearest

_WORLD = "world.yaml"  # written last: where it is, the lab is whole


class Lab:
    """A lab that is up. As a context manager it goes down at the end of the block.

    Make one with `Lab.up`, or take hold of one that another process made with `Lab.attach`. Not for use by several
    threads at a time.
    """

    def __init__(self, world: World, names: LabNames) -> None:
        self.world = world
        self.names = names
        self._drivers: dict[str, Driver] = {}
        self._prober: Prober | None = None

    @classmethod
    def up(cls, world: World, name: str = DEFAULT_LAB, source: str = "") -> Lab:
        """Build the lab of a valid world, enforce it and start what listens in it.

        ``source`` is the text of the world file, kept for who attaches. Raises `LabExists` if there is one of that
        name, whole or not; `NotRoot`, `ToolMissing`; if anything fails on the way, what was made is removed first.
        """
        names = LabNames(name)
        check_tools()
        text = source or worldfile.dump(world)
        with locked(names) as lock:
            _refuse_if_there(names)
            lab, ip = cls(world, names), IpRoute(lock)
            try:
                lab._build(text, ip)
            except BaseException:
                lab.close()
                _demolish(names, ip)
                raise
        return lab

    def _build(self, text: str, ip: IpRoute) -> None:
        self.names.directory.mkdir(mode=0o700)
        build(self.world, self.names, ip)
        self._enforce(self.world)
        open_gates(self.world, self.names)
        start_listeners(self.world, self.names)
        self._keep(text)

    @classmethod
    def attach(cls, name: str = DEFAULT_LAB) -> Lab:
        """Take hold of a lab that is up; raises `LabMissing`."""
        names = LabNames(name)
        check_tools()
        try:
            text = (names.directory / _WORLD).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LabMissing(_missing(names)) from None
        return cls(worldfile.parse(text, str(names.directory / _WORLD)), names)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.down()

    def close(self) -> None:
        """Let go of the lab; it stays up."""
        for driver in self._drivers.values():
            driver.close()
        self._drivers.clear()
        if self._prober:
            self._prober.close()
        self._prober = None

    def down(self) -> None:
        """Take the lab down, as `down` does."""
        self.close()
        down(self.names.lab)

    def enforce(self, world: World, source: str = "") -> int:
        """Enforce another policy on the same topology, one transaction a VPC; gives the number of commands it took.

        Groups, rules and memberships may differ; raises `InvalidInput` if anything else does. ``source`` as in `up`.
        """
        if _wiring(world) != _wiring(self.world):
            raise InvalidInput(
                "the world has other VPCs, ports, listeners or hosts than the lab; take it down and build it anew"
            )
        text = source or worldfile.dump(world)
        count = self._enforce(world)
        open_gates(world, self.names)
        self.world = world
        self._keep(text)
        return count

    def _enforce(self, world: World) -> int:
        with garbage.paused():
            return sum(self.driver(name).apply(vpc) for name, vpc in compile_world(world).vpcs.items())

    def _keep(self, text: str) -> None:
        """Write the world file in one step: it is whole, or it is not there."""
        draft = self.names.directory / "world.new"
        draft.write_text(text, encoding="utf-8")
        draft.rename(self.names.directory / _WORLD)

    def driver(self, vpc: str) -> Driver:
        """The driver of a VPC: its counters, its audit."""
        if vpc not in self._drivers:
            self._drivers[vpc] = Driver(self.names.vpc(vpc), self.names.table)
        return self._drivers[vpc]

    @property
    def prober(self) -> Prober:
        """What sends probes in this lab."""
        if self._prober is None:
            self._prober = Prober(self.world, self.names)
        return self._prober

    def probe(self, flows: Iterable[Flow], payload: bytes | None = None) -> list[Observation]:
        """Send the first packet of each flow: see `Prober.probe`."""
        return self.prober.probe(flows, payload)

    def converse(self, flows: Iterable[Flow]) -> list[Observation]:
        """Have a whole conversation on each flow: see `Prober.converse`."""
        return self.prober.converse(flows)

    def verify(self, progress: Progress | None = None) -> Report:
        """Compare model and packets on every interesting flow: see `ringfence.lab.verify`."""
        return verify(self.world, self.prober, progress)

    def check_expectations(self) -> list[Row]:
        """Judge the world's ``expect`` lines by model and by packets."""
        return check_expectations(self.world, self.prober)

    def namespace(self, target: str) -> str:
        """The namespace of an instance or outside host; raises `UnknownName`."""
        known = targets(self.world, self.names)
        if target not in known:
            raise UnknownName(f"there is no instance or outside host {target!r}", nearest(target, known))
        return known[target]

    def exec(self, target: str, command: Sequence[str]) -> int:
        """Run a command inside an instance or outside host, on our own input and output; gives its exit code.

        A command that a signal ended has 128 and the signal's number, as in a shell. Raises `UnknownName`, and
        `ToolMissing` if there is no such command.
        """
        namespace = self.namespace(target)
        with _forwarding_signals() as started:
            try:
                with inside(namespace):
                    process = subprocess.Popen(command)
            except OSError as error:
                raise ToolMissing(f"{command[0]!r} cannot be run: {error.strerror}") from None
            started(process)
            while True:
                with suppress(KeyboardInterrupt):  # the command was interrupted too, and says itself how it ends
                    code = process.wait()
                    return code if code >= 0 else 128 - code


@contextmanager
def _forwarding_signals() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Who ends us means the command: pass TERM and HUP on to the process that the block says it has started."""
    running: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _: object) -> None:
        if running:
            running[0].send_signal(number)
        else:
            early.append(number)

    def started(process: subprocess.Popen[bytes]) -> None:
        running.append(process)
        for number in early:
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield started
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def down(name: str = DEFAULT_LAB) -> None:
    """Remove a lab, whole or left by a crash: its processes, namespaces and files. Raises `LabMissing`."""
    names = LabNames(name)
    check_tools()
    with locked(names) as lock:
        there = _is_there(names)
        _demolish(names, IpRoute(lock))
    if not there:
        raise LabMissing(_missing(names))


def _demolish(names: LabNames, ip: IpRoute) -> None:
    """Processes first: a namespace whose name is gone could not be searched for them. The lock's file goes last."""
    namespaces = named(names.prefix)
    end_inhabitants(namespaces)
    remove(namespaces, ip)
    if names.directory.exists():
        shutil.rmtree(names.directory)
    discard(names)


def _is_there(names: LabNames) -> bool:
    return names.directory.exists() or bool(named(names.prefix))


def _refuse_if_there(names: LabNames) -> None:
    if (names.directory / _WORLD).exists():
        raise LabExists(f"lab {names.lab!r} is up already; run: {names.down_command}")
    if _is_there(names):
        raise LabExists(f"a crash left parts of lab {names.lab!r}; run: {names.down_command}")


def _missing(names: LabNames) -> str:
    if _is_there(names):
        return f"lab {names.lab!r} is not up, a crash left parts of it; run: {names.down_command}"
    return f"lab {names.lab!r} is not up; run: {names.up_command}"


def _wiring(world: World) -> object:
    """What of a world the topology is made of."""
    vpcs = [(vpc.name, set(vpc.cidrs), vpc.subnets) for vpc in world.vpcs.values()]
    ports = [
        (str(port), port.vpc, port.subnet, port.addresses)
        for instance in world.instances.values()
        for port in instance.ports  # in their order: the first is the primary
    ]
    served = {instance.name: instance.serve for instance in world.instances.values()}
    return vpcs, ports, world.outside, served
