"""The commands ``login``, ``logout`` and ``whoami``."""

from __future__ import annotations

import json as json_
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from ringfence.cli import showing
from ringfence.cli.asking import Account, Asked, Json, Server, command
from ringfence.cli.files import read_bytes
from ringfence.client.login import (
    KEY_ID,
    KEY_SECRET,
    Login,
    environment_key,
    forget_login,
    keep_login,
    kept_login,
    server_of,
)
from ringfence.client.paths import at
from ringfence.errors import InvalidInput, NotAuthenticated, ServerUnknown
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret

_NEAR = ("localhost", "127.", "::1")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(login)
    app.command()(logout)
    command(app, "whoami", whoami)


def login(
    url: Annotated[str, typer.Argument(metavar="[URL]", help="The server, like http://127.0.0.1:8475.")] = "",
    key_id: Annotated[str, typer.Option("--key-id", metavar="ID", help="The access key's id.")] = "",
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", metavar="FILE", help="Read the secret from it; - is the input.")
    ] = None,
    account: Account = "",
    hours: Annotated[int, typer.Option("--hours", min=1, max=168, help="How long it lasts.")] = 12,
    server: Server = "",
    json: Json = False,
) -> None:
    r"""Log in to a server with an access key, and keep a token of it for the commands that follow.

    The key comes from RINGFENCE_ACCESS_KEY_ID and RINGFENCE_ACCESS_KEY_SECRET, or is asked for; the secret is not kept.
    Programs need no login: with these two variables set, each request is signed.

    \b
    Examples:
      ringfence login http://127.0.0.1:8475
      ringfence login https://fw.example.com --key-id LTAI… --secret-file secret.txt --account shop
    """
    from ringfence.client.client import Client

    where = server_of(url or server)
    if not where:
        raise ServerUnknown("no server is named; write: ringfence login URL")
    _warn(where)
    key = _key(key_id, secret_file)
    with Client(where, key=key, account=account) as client:
        given = client.post(at("tokens"), {"hours": hours})
        me = client.get(at("me"))
    path = keep_login(Login(where, Secret(given["token"]), given["expires"], key.id, account))
    told = {"server": where, "account": me["account"], "user": me["user"], "expires": given["expires"]}
    if json:
        print(json_.dumps(told | {"kept": str(path)}, indent=2))
    else:
        print(f"logged in to {where} as {_who(me)} until {given['expires']}")


def _warn(server: str) -> None:
    parts = urlsplit(server)
    if parts.scheme == "http" and not (parts.hostname or "").startswith(_NEAR):
        print(f"ringfence: {server} is not encrypted: who listens on the way can use the login", file=sys.stderr)


def _key(key_id: str, secret_file: Path | None) -> AccessKey:
    """The access key, from the environment, a file, or the one who sits at the terminal."""
    known = environment_key() if not secret_file else None
    if known and key_id in ("", known.id):
        return known
    if secret_file:
        secret = read_bytes(secret_file).decode("utf-8", "replace").strip()
        if not key_id:
            raise InvalidInput("a secret is given, and not whose; name the key with --key-id")
        return AccessKey(key_id, Secret(secret))
    if not sys.stdin.isatty():
        raise InvalidInput(
            f"there is nobody to ask for the secret; set {KEY_ID} and {KEY_SECRET}, or use --secret-file"
        )
    key_id = key_id or typer.prompt("Access key id", err=True)
    return AccessKey(key_id, Secret(typer.prompt("Secret", hide_input=True, err=True)))


def _who(me: dict[str, Any]) -> str:
    user = f"user {me.get('user_name') or me['user']} of " if me["user"] else ""
    acting = "" if me["home"] == me["account"] else f", acting on {me['account']}"
    return f"{user}account {me['home']}{acting}"


def logout() -> None:
    """Make the token worthless, and forget it."""
    from ringfence.client.client import Client

    try:
        known = kept_login()
    finally:
        forget_login()
    if known is None:
        print("nobody was logged in")
        return
    with Client(known.server, token=known.token) as client:
        try:
            client.delete(at("tokens", "current"))
        except NotAuthenticated:  # it had expired: it is worthless already
            print(f"logged out of {known.server}; the login had ended before")
            return
    print(f"logged out of {known.server}")


def whoami(asked: Asked) -> None:
    """Show who one is to the server, and by what."""
    me = asked.client.get(at("me"))
    if asked.json:
        asked.show_json({"server": asked.client.url} | me)
        return
    login = None if environment_key() else kept_login()
    home = me["home"] if me["home"] != me["account"] else ""
    shown = {"server": asked.client.url, "account": me["account"], "acting_from": home, "user": me["user"]}
    shown |= {"access_key": me["key_id"], "operator": me["operator"], "service": me["service"]}
    shown |= {"policies": [it["name"] or it["id"] for it in me["policies"]]}
    showing.show_item(shown | {"by": f"a login until {login.expires}" if login else "the environment's key"})
