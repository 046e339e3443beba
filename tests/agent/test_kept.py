"""What an agent keeps on disk: read again as it was, and a part of it never taken for the whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.agent.kept import KeptFile
from ringfence.agent.source import News, Snapshot
from ringfence.control.group import Step
from ringfence.errors import CannotRun
from ringfence.resources.kind import IDENTITY
from ringfence.resources.state import State
from tests.agent.test_following import add, fill
from tests.control.service import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.fresh(tmp_path) as made:
        fill(made)
        yield made


def without_identity(state: State) -> State:
    """What agents know of a state."""
    return State.of(state.revision, [it for it in state.resources.values() if it.kind not in IDENTITY])


def test_what_is_kept_is_read_again_and_a_part_of_it_is_refused_or_older(service: Service, tmp_path: Path) -> None:
    """A cut inside of a line is refused; one between revisions, which nothing can tell, leads to an earlier one."""
    kept, steps = KeptFile(tmp_path / "kept"), list[Step]()
    end = service.control.listen(steps.append)
    kept.begin(Snapshot("store", service.control.state))
    states = [without_identity(service.control.state)]
    whole = (tmp_path / "kept").stat().st_size
    for port in range(4):
        add(service, port + 1)
        kept.add(News(steps[-1].revision.number, steps[-1].changes))
        states.append(without_identity(service.control.state))
        assert KeptFile(tmp_path / "kept").read() == Snapshot("store", states[-1])
        assert KeptFile(tmp_path / "kept").worlds() == (states[-2].world, (states[-1].world,))
    end()
    kept.close()
    text = (tmp_path / "kept").read_bytes()
    ends = [at + 1 for at, byte in enumerate(text) if byte == 10 and at + 1 >= whole]
    assert len(ends) == 5
    for at in [*range(0, len(text), 11), *ends]:
        (tmp_path / "cut").write_bytes(text[:at])
        if at in ends:
            assert KeptFile(tmp_path / "cut").read() == Snapshot("store", states[ends.index(at)])
        else:
            with pytest.raises(CannotRun, match="is not whole"):
                KeptFile(tmp_path / "cut").read()
            assert KeptFile(tmp_path / "cut").worlds() == (None, ())


NO_STATES = {
    "a text": b"hello\n",
    "JSON of another kind": b'{"resources": 0}\n',
    "a list": b"[1, 2]\n",
    "a line that is no resource": b'{"what": "ringfence agent", "store": "s", "revision": 3, "resources": 1}\n{}\n',
    "a line that is no revision": b'{"what": "ringfence agent", "store": "s", "revision": 3, "resources": 0}\n[4]\n',
    "other letters": b"\xff\xfe\n",
    "a resource without fields": b'{"what": "ringfence agent", "store": "s", "revision": 3, "resources": 1}\n'
    b'{"kind": "vpc", "id": "x", "name": "", "account": "a", "description": "", "tags": {}}\n',
}


@pytest.mark.parametrize("text", NO_STATES.values(), ids=NO_STATES)
def test_what_is_no_state_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "kept").write_bytes(text)
    with pytest.raises(CannotRun, match="no state of an agent"):
        KeptFile(tmp_path / "kept").read()


def test_a_long_file_is_written_anew(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.agent.kept._SMALL", 1000)
    kept, steps = KeptFile(tmp_path / "kept"), list[Step]()
    service.control.listen(steps.append)
    kept.begin(Snapshot("store", service.control.state))
    for port in range(1, 9):
        add(service, port)
        kept.add(News(steps[-1].revision.number, steps[-1].changes))
    was_long = kept.is_long
    kept.begin(Snapshot("store", service.control.state))
    assert (was_long, kept.is_long) == (True, False)
    assert kept.read() == Snapshot("store", without_identity(service.control.state))
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    kept.close()
