"""Who is asking: accounts and users by their access keys and tokens, and how these come to be."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of
from ringfence.errors import FieldProblem, Forbidden, InvalidFields, InvalidInput, NotAuthenticated
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import AccessKey, Account, User
from ringfence.security import keys
from ringfence.security.keyring import Keyring
from ringfence.security.keys import mint_access_key, mint_token
from ringfence.security.nonces import Nonces
from ringfence.security.secret import Secret
from ringfence.security.signing import Request, Verifier
from ringfence.store.rows import Token, utc

TOKEN_HOURS = 12
"""How long a token is good for, unless less is asked for."""
_TRUSTED_FOR = 2.0  # seconds for which a token that was looked up is not looked up again
_KEYS_PER_OWNER = 5
ROOT_KEY_ID, ROOT_KEY_SECRET = "RINGFENCE_ROOT_ACCESS_KEY_ID", "RINGFENCE_ROOT_ACCESS_KEY_SECRET"
"""Where the first start takes the operator's access key from, if it is not to make one."""
_ROOT_KEY_ID, _ROOT_KEY_SECRET = re.compile(r"[A-Za-z0-9]{16,128}"), re.compile(r"[!-~]{20,128}")


@dataclass(frozen=True, slots=True)
class From:
    """Where a request comes from, besides who signed it: see `Caller`."""

    source: str = ""
    request_id: str = ""
    secure: bool = False
    connection: str = ""
    connected: float = 0.0
    account: str = ""
    """The account that it is to be about; empty for the caller's own. Only an operator may name another."""
    service: str = ""
    """The managed service as which an operator acts."""


class Identities:
    """Proves who asks. For use by many threads."""

    def __init__(self, control: Control, keyring: Keyring, clock: Callable[[], float] = time.time) -> None:
        self._control = control
        self._keyring = keyring
        self.clock = clock
        self.nonces = Nonces(clock())
        """Those of all schemes of signatures."""
        self._verifier = Verifier(self.secret_of, self.nonces, clock)
        self._opened: dict[str, Secret] = {}
        self._tokens: dict[str, tuple[float, Token]] = {}

    def secret_of(self, key_id: str) -> Secret | None:
        """The secret of an access key that may be used now."""
        found = _usable_key(self._control.state, key_id)
        if found is None:
            return None
        sealed = cast("AccessKey", found.value).sealed
        if sealed not in self._opened:
            self._opened[sealed] = self._keyring.open(sealed, key_id)
        return self._opened[sealed]

    def knows(self, key_id: str) -> bool:
        """Whether there is such an access key, enabled or not."""
        return self._control.state.get(Kind.ACCESS_KEY, key_id) is not None

    def by_signature(self, request: Request, origin: From) -> Caller:
        """The caller who signed a request; raises `NotAuthenticated`."""
        return self.by_key(self._verifier.verify(request), origin)

    def by_key(self, key_id: str, origin: From) -> Caller:
        """The caller whose access key signed a request, as was verified; raises `NotAuthenticated`, `Forbidden`."""
        state = self._control.state
        found = _usable_key(state, key_id)
        if found is None:
            raise NotAuthenticated("the access key is not there, or not enabled", "use one that is", reason="auth.key")
        try:
            return _caller(state, found, origin)
        except Forbidden as error:
            own = _caller(state, found, replace(origin, account="", service=""))
            self._control.refused(own, "ActAs", error)
            raise

    def by_token(self, token: Secret, origin: From) -> Caller:
        """The caller who has a token; raises `NotAuthenticated`, `Forbidden`."""
        found = self._token(keys.digest(token))
        if found is None or found.expires <= utc(datetime.fromtimestamp(self.clock(), UTC)):
            raise NotAuthenticated("the token is not known, or has expired", "log in again", reason="auth.token")
        return self.by_key(found.key_id, origin)

    def _token(self, digest: str) -> Token | None:
        looked, known = self._tokens.get(digest, (0.0, None))
        if known is None or time.monotonic() - looked > _TRUSTED_FOR:
            known = self._control.store.token(digest)
            if known is None:
                self._tokens.pop(digest, None)
                return None
            if len(self._tokens) > 10_000:
                self._tokens.clear()
            self._tokens[digest] = (time.monotonic(), known)
        return known

    def log_in(self, caller: Caller, hours: int = TOKEN_HOURS) -> tuple[Secret, str]:
        """A token for the caller, and when it expires. Raises `InvalidFields`."""
        if not 1 <= hours <= 7 * 24:
            what = f"a token cannot be good for {hours} hours"
            raise InvalidFields((FieldProblem("hours", what, "use 1 to 168", value=hours),))
        token, began = mint_token(), datetime.fromtimestamp(self.clock(), UTC)
        expires = utc(began + timedelta(hours=hours))
        home = caller.home or caller.account
        self._control.store.add_token(Token(keys.digest(token), home, caller.user, caller.key_id, utc(began), expires))
        return token, expires

    def log_out(self, token: Secret) -> None:
        """Make a token worthless, at once."""
        digest = keys.digest(token)
        self._control.store.revoke_token(digest)
        self._tokens.pop(digest, None)

    def create_key(self, draft: Draft, user: str) -> tuple[Resource, Secret]:
        """Make an access key for a user (by id or name), or for the account itself; its secret is told only now."""
        owner = draft.find(Kind.USER, user).id if user else ""
        made = mint_access_key()
        return self._put_key(draft, owner, made), made.secret

    def _put_key(self, draft: Draft, owner: str, made: keys.AccessKey) -> Resource:
        have = [it for it in draft.owned(Kind.ACCESS_KEY) if cast("AccessKey", it.value).user == owner]
        if len(have) >= _KEYS_PER_OWNER:
            what = f"{owner or 'the account'} has {len(have)} access keys"
            raise InvalidFields((FieldProblem("user", what, "delete one first", "limit.access_keys", owner),))
        value = AccessKey(owner, self._keyring.seal(made.secret, made.id))
        resource = Resource(Kind.ACCESS_KEY, made.id, draft.caller.account, value, created=draft.at)
        return draft.put(ram.CREATE_ACCESS_KEY, resource)

    def bootstrap(self) -> keys.AccessKey | None:
        """On the first start: make the operator's account and its access key, and give the key. Else nothing.

        The key is that of the environment, if there is one there.
        """
        if self._control.state.get(Kind.ACCOUNT, OPERATOR):
            return None
        made = given_root_key() or mint_access_key()
        system = Caller(OPERATOR, operator=True, source="start", request_id="start")
        with self._control.change(system, "Bootstrap") as draft:
            if draft.get(Kind.ACCOUNT, OPERATOR):  # another server was faster
                return None
            account = Resource(Kind.ACCOUNT, OPERATOR, OPERATOR, Account(operator=True), OPERATOR, created=draft.at)
            draft.put(action_of(Verb.CREATE, Kind.ACCOUNT), replace(account, protected=True))
            self._put_key(draft, "", made)
        return made


def given_root_key() -> keys.AccessKey | None:
    """The operator's access key that the environment gives, if it does; raises `InvalidInput` for what is no key."""
    id_, secret = os.environ.get(ROOT_KEY_ID, ""), os.environ.get(ROOT_KEY_SECRET, "")
    if not id_ and not secret:
        return None
    if not _ROOT_KEY_ID.fullmatch(id_):
        raise InvalidInput(f"{ROOT_KEY_ID} is {id_!r}; set it to 16 to 128 letters and digits, or leave both unset")
    if not _ROOT_KEY_SECRET.fullmatch(secret):
        raise InvalidInput(f"{ROOT_KEY_SECRET} is no secret; set it to 20 to 128 letters, digits and signs, no spaces")
    return keys.AccessKey(id_, Secret(secret))


def reseal(control: Control, keyring: Keyring) -> int:
    """Seal every secret that an older key has sealed under the newest one; gives how many."""
    system = Caller(OPERATOR, operator=True, source="rotate-key", request_id="rotate-key")
    count = 0
    with control.change(system, "RotateKey") as draft:
        for resource in draft.state.of_kind(Kind.ACCESS_KEY):
            value = cast("AccessKey", resource.value)
            if not keyring.is_current(value.sealed):
                fresh = keyring.seal(keyring.open(value.sealed, resource.id), resource.id)
                draft.put(ram.UPDATE_ACCESS_KEY, replace(resource, value=replace(value, sealed=fresh)))
                count += 1
    return count


def _usable_key(state: State, key_id: str) -> Resource | None:
    """An enabled access key of an enabled user, or of an account itself."""
    found = state.get(Kind.ACCESS_KEY, key_id)
    if found is None or not cast("AccessKey", found.value).enabled:
        return None
    owner = cast("AccessKey", found.value).user
    user = state.get(Kind.USER, owner) if owner else None
    if owner and (user is None or not cast("User", user.value).enabled):
        return None
    return found


def _caller(state: State, key: Resource, origin: From) -> Caller:
    home = state.get(Kind.ACCOUNT, key.account)
    if home is None:
        raise NotAuthenticated("the account of the access key is gone", "use another key", reason="auth.key")
    operator = cast("Account", home.value).operator
    target = origin.account or home.id
    if (target != home.id or origin.service) and not operator:
        raise Forbidden(f"account {home.id} may not act as another", "leave the account and the service out")
    if state.get(Kind.ACCOUNT, target) is None:
        raise NotAuthenticated(f"there is no account {target!r}", "name one that is there", reason="auth.account")
    user = cast("AccessKey", key.value).user
    where = (origin.source, origin.request_id, origin.secure, origin.service, origin.connection, origin.connected)
    return Caller(target, user, key.id, home.id, operator, *where)
