"""A lab: a world built of network namespaces on this machine, enforced, and open to real packets."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

from ringfence import garbage, worldfile
from ringfence.backends.nftables.driver import Driver
from ringfence.compile.compiler import compile_world
from ringfence.errors import LabExists, LabMissing, UnknownName
from ringfence.lab.executing import run_inside
from ringfence.lab.live import LiveConnections, Passage, half_enforced
from ringfence.lab.locking import discard, locked
from ringfence.lab.names import DEFAULT_LAB, LabNames
from ringfence.lab.netns import IpRoute, check_tools, end_inhabitants, named, remove
from ringfence.lab.outcome import Report, Row
from ringfence.lab.probe import Observation, Prober
from ringfence.lab.rewiring import Rewiring
from ringfence.lab.tally import tally_of
from ringfence.lab.topology import open_gates, targets
from ringfence.lab.verify import Progress, check_expectations, verify
from ringfence.lab.virtual import as_held, holders, keep_held, move
from ringfence.model.edit import Edit, PortChanged, PortGone
from ringfence.model.flow import Flow
from ringfence.model.world import World, nearest
from ringfence.policy.live import Cut


class Lab:
    """A lab that is up. As a context manager it goes down at the end of the block.

    Make one with `Lab.up`, or take hold of one that another process made with `Lab.attach`. Not for use by several
    threads at a time.
    """

    def __init__(self, world: World, names: LabNames) -> None:
        self.names = names
        self._filed = self._held = world  # as its file says, and with virtual IPs where guests moved them
        self._text = ""
        self.cuts: list[Cut] = []
        """The live connections that the last `enforce` cut."""
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
                names.directory.mkdir(mode=0o700)
                lab._pass(lab._rewired(Rewiring(None, world, names), world, text, ip))
            except BaseException:
                lab.close()
                _demolish(names, ip)
                raise
        return lab

    @classmethod
    def attach(cls, name: str = DEFAULT_LAB) -> Lab:
        """Take hold of a lab that is up; raises `LabMissing`."""
        names = LabNames(name)
        check_tools()
        lab = cls(World(), names)
        lab._read_again()
        return lab

    def _read_again(self) -> None:
        """Take in what the lab's file says: another process may have changed the lab since. Raises `LabMissing`."""
        try:
            text = self.names.world.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LabMissing(_missing(self.names)) from None
        if text != self._text:
            self._file(worldfile.parse(text, str(self.names.world)), text)

    @contextmanager
    def _alone(self) -> Iterator[IpRoute]:
        """Nobody else changes the lab or takes it down during the block. Raises `LabMissing`."""
        with locked(self.names) as lock:
            try:
                self._read_again()
            except LabMissing:
                if not _is_there(self.names):
                    discard(self.names)
                raise
            yield IpRoute(lock)

    def _file(self, world: World, text: str) -> None:
        self._filed = self._held = world
        self._text = text

    @property
    def world(self) -> World:
        """What runs in it: the world of its file, with each virtual IP at the port that has it now."""
        held = holders(self._filed, self.names)
        if held != {name: vip.active for name, vip in self._held.virtual_ips.items()}:
            self._held = as_held(self._filed, held)
        return self._held

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.down()

    def close(self) -> None:
        """Let go of the lab; it stays up."""
        for driver in self._drivers.values():
            driver.close()
        self._drivers.clear()
        self._close_prober()

    def _close_prober(self) -> None:
        if self._prober:
            self._prober.close()
        self._prober = None

    def down(self) -> None:
        """Take the lab down, as `down` does."""
        self.close()
        down(self.names.lab)

    def enforce(self, world: World, source: str = "") -> int:
        """Change the lab to another valid world, and give the number of nft commands that its policy took.

        VPCs, peerings, ports, listeners, virtual IPs and hosts are plugged and unplugged where they differ; what is the
        same is not touched. One transaction a VPC. A virtual IP that a guest took stays there, unless the world moves
        it. Live connections are cut as each VPC's profile says: see `cuts`. ``source`` as in `up`. Raises `LabMissing`,
        `CannotRun`.
        """
        with self.changing(world, source) as passage:
            return self._pass(passage)

    @contextmanager
    def changing(
        self, world: World, source: str = "", since: World | None = None, edits: Sequence[Edit] | None = None
    ) -> Iterator[Passage]:
        """Keep everybody else from changing the lab, for who switches its policy: the block has to pass to ``world``.

        ``edits``, if they are known, are all that is different ``since`` the world that the lab was given last; where
        they leave every link as it is, no part of the lab is looked at. ``source`` as in `up`. Raises `LabMissing`,
        `CannotRun`.
        """
        text = source or worldfile.dump(world)
        with self._alone() as ip:
            known = edits is not None and since is self._filed and not self.names.draft.exists()
            if not known or edits is None or _rewires(self._filed, edits):
                yield self._rewired(self.rewiring(world), world, text, ip)
            else:
                after = keep_held(world, self._filed, holders(self._filed, self.names))
                yield Passage(self._filed, self.world, (), after, partial(self._rewritten, world, text))

    def _rewired(self, rewiring: Rewiring, world: World, text: str, ip: IpRoute) -> Passage:
        around = partial(self._around, rewiring, world, text, ip)
        return Passage(self._filed, self.world, tuple(half_enforced(self.names)), rewiring.after, around)

    @contextmanager
    def _around(self, rewiring: Rewiring, world: World, text: str, ip: IpRoute) -> Iterator[None]:
        if rewiring.gone:  # who captures in a namespace keeps it in being
            self._close_prober()
        with rewiring.around(text, ip):
            yield
        for name in self._drivers.keys() - world.vpcs.keys():
            self._drivers.pop(name).close()
        self._file(world, text)

    @contextmanager
    def _rewritten(self, world: World, text: str) -> Iterator[None]:
        """Nothing but the world's file changes. A block that is broken off leaves the draft, as a kill does."""
        self.names.draft.write_text(text, encoding="utf-8")
        yield
        self.names.draft.rename(self.names.world)
        self._file(world, text)

    def rewiring(self, world: World) -> Rewiring:
        """What `enforce` would plug and unplug."""
        after = keep_held(world, self._filed, holders(self._filed, self.names))
        return Rewiring(self.world, after, self.names)

    def preview(self, world: World) -> list[Cut]:
        """The live connections that `enforce` would cut if it came now; nothing changes."""
        after = keep_held(world, self._filed, holders(self._filed, self.names))
        return LiveConnections(self.world, after, self.names).preview()

    def missing_commands(self, world: World) -> int:
        """How many nft commands `enforce` would take, as far as VPCs are up already. Slow: see `Driver.audit`."""
        plans = compile_world(world).vpcs
        return sum(len(self.driver(name).audit(plan)) for name, plan in plans.items() if name in self.world.vpcs)

    def _pass(self, passage: Passage) -> int:
        live = LiveConnections(self.world, passage.after, self.names)
        with passage.around():
            count = self._enforce(passage.after)
            self.cuts = live.cut(self.driver)
            open_gates(passage.after, self.names)
        return count

    def _enforce(self, world: World) -> int:
        with garbage.paused():
            return sum(self.driver(name).apply(vpc) for name, vpc in compile_world(world).vpcs.items())

    def driver(self, vpc: str) -> Driver:
        """The driver of a VPC: its counters, its audit."""
        if vpc not in self._drivers:
            self._drivers[vpc] = Driver(self.names.vpc(vpc), self.names.table, tally_of(self.names, vpc))
        return self._drivers[vpc]

    @property
    def prober(self) -> Prober:
        """What sends probes in this lab."""
        world = self.world
        if self._prober is None:
            self._prober = Prober(world, self.names)
        if self._prober.world is not world:
            self._prober.look_at(world)
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

    def move_vip(self, name: str, to_port: str) -> None:
        """Have another guest take a virtual IP, as guests do: see `ringfence.lab.virtual.move`."""
        with self._alone():
            move(self.world, self.names, name, to_port)

    def namespace(self, target: str) -> str:
        """The namespace of an instance (``instance/namespace``: another of its guest's) or outside host.

        Raises `UnknownName`.
        """
        known = targets(self.world, self.names)
        if target not in known:
            raise UnknownName(f"there is no instance or outside host {target!r}", nearest(target, known))
        return known[target]

    def exec(self, target: str, command: Sequence[str]) -> int:
        """Run a command inside a guest or outside host: see `namespace` and `run_inside`."""
        return run_inside(self.namespace(target), command)


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


def _rewires(world: World, edits: Iterable[Edit]) -> bool:
    """Whether one of some edits of a world changes a link, and not only policy."""
    ports = {str(it.port): it.port for it in edits if isinstance(it, PortChanged)}
    known = {name: world.port_by_name.get(name) for name in ports}
    return any(isinstance(it, PortGone) for it in edits) or any(
        before is None or replace(before, groups=port.groups) != port
        for port, before in zip(ports.values(), known.values(), strict=True)
    )


def _refuse_if_there(names: LabNames) -> None:
    if names.world.exists():
        raise LabExists(f"lab {names.lab!r} is up already; run: {names.down_command}")
    if _is_there(names):
        raise LabExists(f"a crash left parts of lab {names.lab!r}; run: {names.down_command}")


def _missing(names: LabNames) -> str:
    if _is_there(names):
        return f"lab {names.lab!r} is not up, a crash left parts of it; run: {names.down_command}"
    return f"lab {names.lab!r} is not up; run: {names.up_command}, or name a world file or a server"
