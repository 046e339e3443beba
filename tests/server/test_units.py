"""The systemd units: what they start is there, and what they leave it with is enough."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ringfence.api.server import GRACE
from tests.agent.places import bare, nft
from tests.server.processes import Processes, Server, forked, given

UNITS = sorted((Path(__file__).parent.parent.parent / "deploy").glob("*.service"))


def service(unit: Path) -> dict[str, str]:
    """The section of the service."""
    read = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    read.optionxform = str  # type: ignore[assignment,method-assign]  # as the library has it
    read.read(unit)
    return dict(read["Service"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_what_is_there(unit: Path, tmp_path: Path) -> None:
    said = service(unit)
    program, name, *words = shlex.split(said["ExecStart"])
    assert program.endswith("/bin/ringfence")
    told = forked(name, "--help").stdout
    assert [word for word in words if word.startswith("--") and f"{word} " not in told] == []
    assert said["Type"] == "notify"
    assert int(said["TimeoutStopSec"]) > GRACE + 30  # the agent has 30 seconds to end what it is at
    if shutil.which("systemd-analyze"):
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace(program, "/bin/true"))
        done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.packets
def test_the_capabilities_of_the_unit_are_enough(run: Processes) -> None:
    """As root with these and no others, it enforces."""
    caps = service(next(unit for unit in UNITS if unit.stem == "ringfence"))["CapabilityBoundingSet"].split()
    kept = ",".join(["-all", *(f"+{cap.removeprefix('CAP_').lower()}" for cap in caps)])
    with bare("shop") as prefix:
        where = ["--data", str(run.directory / "data"), "--listen", "127.0.0.1:0", "--namespaces", prefix]
        drop = ["setpriv", "--no-new-privs", f"--bounding-set={kept}", f"--inh-caps={kept}"]
        process = run.start("serve", *where, env=given(), through=drop)
        process.wait_for("Ringfence answers at ")
        server = Server(
            process.popen, process.out_file, process.err_file, process.out.split("answers at ")[1].split()[0]
        )
        with server.client() as client:
            made = client.post("/v1/vpcs", {"name": "shop", "cidrs": ["10.0.0.0/16"]}, {"wait": 20})
        assert made["enforced"] is True
        assert "inet ringfence" in nft(f"{prefix}shop", "list", "tables")
        status = Path(f"/proc/{process.popen.pid}/status").read_text()
        bounding = next(line for line in status.splitlines() if line.startswith("CapBnd"))
        assert int(bounding.split()[1], 16).bit_count() == len(caps)
        assert process.end() == 0
