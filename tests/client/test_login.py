"""The login that is kept, and which server is asked as whom."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ringfence.client import login
from ringfence.client.login import Login, connect, forget_login, keep_login, kept_login, login_path, server_of
from ringfence.errors import InvalidInput, LoginUnusable, NotAuthenticated, ServerUnknown
from ringfence.security.secret import Secret

HERE, THERE = "http://127.0.0.1:8475", "http://127.0.0.1:8476"
KEPT = Login(HERE, Secret("rft_token"), "2026-11-22T21:00:00.000Z", "LTAIkey", "shop")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (login.SERVER, login.ACCOUNT, login.KEY_ID, login.KEY_SECRET):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_a_login_is_its_owners_alone() -> None:
    assert kept_login() is None
    before = os.umask(0)
    try:
        path = keep_login(KEPT)
    finally:
        os.umask(before)
    assert path == login_path()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert kept_login() == KEPT
    assert "rft_token" not in repr(KEPT)
    assert [it.name for it in path.parent.iterdir()] == ["login.json"]
    forget_login()
    assert kept_login() is None
    forget_login()


@pytest.mark.parametrize(
    ("spoil", "pattern"),
    [
        (lambda path: path.chmod(0o640), "open to others .mode 640."),
        (lambda path: path.write_text("{}"), "is no login"),
        (lambda path: path.write_text("junk"), "is no login"),
        (lambda path: (path.rename(path.with_name("x")), path.symlink_to("x")), "cannot be read"),
        (lambda path: (path.unlink(), path.mkdir(mode=0o700)), "no plain file"),
    ],
)
def test_a_file_that_is_not_safe_is_not_used(spoil: object, pattern: str) -> None:
    assert callable(spoil)
    spoil(keep_login(KEPT))
    with pytest.raises(LoginUnusable, match=pattern):
        connect()


def test_which_server_and_as_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_of() == ""
    with pytest.raises(ServerUnknown, match="ringfence login URL"):
        connect()
    keep_login(KEPT)
    with connect() as client:
        assert (client.url, client.account, client._token, client._key) == (HERE, "shop", KEPT.token, None)
    with pytest.raises(NotAuthenticated, match=f"nobody is logged in to {THERE}"):  # a token is sent to no other server
        connect(THERE)
    monkeypatch.setenv(login.SERVER, f"{THERE}/")
    assert (server_of(), server_of(HERE)) == (THERE, HERE)
    monkeypatch.setenv(login.KEY_ID, "LTAIother")
    with pytest.raises(InvalidInput, match="RINGFENCE_ACCESS_KEY_SECRET is not"):
        connect()
    monkeypatch.setenv(login.KEY_SECRET, "secret")
    with connect() as client, connect(HERE, "bank") as other:
        assert client._key
        assert other._key == client._key
        assert (client.url, client.account, client._token, client._key.id) == (THERE, "", None, "LTAIother")
        assert (other.url, other.account, other._token) == (HERE, "bank", None)
    monkeypatch.setenv(login.SERVER, "nonsense")
    with pytest.raises(InvalidInput, match="no address"):
        connect()
