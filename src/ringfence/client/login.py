"""Which server a user works with, and how they prove who they are: by the environment, or by a login that is kept.

The login is ``$XDG_CONFIG_HOME/ringfence/login.json`` (else ``~/.config``), its owner's alone. It holds a token, never
an access key's secret, and the token is sent to no other server than the one that gave it.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.client.origin import origin
from ringfence.errors import InvalidInput, LoginUnusable, NotAuthenticated, ServerUnknown
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret

if TYPE_CHECKING:  # what asks no server loads no HTTP client
    from ringfence.client.client import Client

SERVER, ACCOUNT = "RINGFENCE_SERVER", "RINGFENCE_ACCOUNT"
KEY_ID, KEY_SECRET = "RINGFENCE_ACCESS_KEY_ID", "RINGFENCE_ACCESS_KEY_SECRET"
"""The variables of the environment that name the server, the account to act on, and an access key."""
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Login:
    """A login that is kept: the server's origin, its token with the end of it (UTC, ISO), who has logged in.

    ``account`` is the one to act on; empty for the key's own.
    """

    server: str
    token: Secret
    expires: str
    key_id: str
    account: str = ""


def login_path() -> Path:
    """Where the login is kept."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".config") / "ringfence" / "login.json"


def kept_login() -> Login | None:
    """The login that is kept, if there is one; raises `LoginUnusable`."""
    path = login_path()
    text = _read(path)
    if text is None:
        return None
    try:
        told = json.loads(text)
        told["token"] = Secret(told["token"])
        return Login(**told)
    except (ValueError, TypeError, KeyError):
        raise LoginUnusable(f"{path} is no login; delete it, and log in again") from None


def _read(path: Path) -> str | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LoginUnusable(f"{path} cannot be read: {error.strerror}; it must be a plain file of yours") from None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_uid not in (0, os.geteuid()):
            raise LoginUnusable(f"{path} is no plain file of yours; delete it, and log in again")
        if status.st_mode & 0o077:
            mode = oct(stat.S_IMODE(status.st_mode))[2:]
            raise LoginUnusable(f"{path} is open to others (mode {mode}); log out, and log in again")
        return os.read(file, _MOST_BYTES).decode("utf-8", "replace")
    finally:
        os.close(file)


def keep_login(login: Login) -> Path:
    """Keep a login in place of any other, whole or not at all; gives where. Raises `LoginUnusable`."""
    path = login_path()
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    told = {name: getattr(login, name) for name in ("server", "expires", "key_id", "account")}
    told["token"] = login.token.reveal()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "w") as out:
            json.dump(told, out, indent=2)
            out.flush()
            os.fsync(file)
        os.replace(fresh, path)
    except OSError as error:
        raise LoginUnusable(f"{path} cannot be written: {error.strerror}; its directory must be yours") from None
    return path


def forget_login() -> None:
    """Keep no login, whatever the file is like."""
    try:
        login_path().unlink(missing_ok=True)
    except OSError as error:
        raise LoginUnusable(f"{login_path()} cannot be deleted: {error.strerror}; delete it yourself") from None


def environment_key() -> AccessKey | None:
    """The access key of the environment, if there is one; raises `InvalidInput` where half of it is missing."""
    id_, secret = os.environ.get(KEY_ID, ""), os.environ.get(KEY_SECRET, "")
    if bool(id_) is not bool(secret):
        here, missing = (KEY_ID, KEY_SECRET) if id_ else (KEY_SECRET, KEY_ID)
        raise InvalidInput(f"{here} is set and {missing} is not; set both or none")
    return AccessKey(id_, Secret(secret)) if id_ else None


def server_of(named: str = "") -> str:
    """The server to ask: the one named, else that of the environment, else of the login; empty if none is known.

    Raises `InvalidInput` where it is no address, and `LoginUnusable`.
    """
    chosen = named or os.environ.get(SERVER, "")
    if chosen:
        return origin(chosen)
    login = kept_login()
    return login.server if login else ""


def connect(named: str = "", account: str = "", timeout: float = 30.0) -> Client:
    """A client of the server to ask, as the one who works here: by the environment's key, else by the login.

    Raises `ServerUnknown`, `NotAuthenticated`, `InvalidInput`, `LoginUnusable`.
    """
    server = server_of(named)
    if not server:
        raise ServerUnknown(f"no server is known; log in with: ringfence login URL, or set {SERVER}")
    from ringfence.client.client import Client

    account = account or os.environ.get(ACCOUNT, "")
    if key := environment_key():
        return Client(server, key=key, account=account, timeout=timeout)
    login = kept_login()
    if login is None or login.server != server:
        right = f"log in with: ringfence login {server}, or set {KEY_ID} and {KEY_SECRET}"
        raise NotAuthenticated(f"nobody is logged in to {server}", right, reason="auth.missing")
    return Client(server, token=login.token, account=account or login.account, timeout=timeout)
