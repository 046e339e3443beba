"""A server's native API over HTTP: JSON in and out, and every failure one of `ringfence.errors`."""

from __future__ import annotations

import json as json_
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Self

import httpx2

from ringfence.client.origin import origin
from ringfence.client.refusals import error_of
from ringfence.errors import ServerFailed, ServerUnreachable
from ringfence.security.keys import AccessKey
from ringfence.security.secret import Secret
from ringfence.security.signing import Request, signed_headers

Query = Mapping[str, str | int | bool | Sequence[str] | None]
"""Parameters of a query; those that are None are left out, and of a list each item is one."""
_ACCOUNT = "x-ringfence-account"
_JSON = "application/json"


class Client:
    """Asks one server. It signs each request with an access key, or sends a token; without either it asks as nobody.

    ``url`` is the server's origin. ``account`` is the one to act on, where an operator acts on a tenant. ``timeout`` is
    in seconds, for connecting and for each part of an answer. For use by several threads. Every method raises
    `ServerUnreachable`, `ServerFailed`, or the error that the server tells.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Secret | None = None,
        key: AccessKey | None = None,
        account: str = "",
        timeout: float = 30.0,
    ) -> None:
        self.url = origin(url)
        self.account = account
        self._token, self._key, self._timeout = token, key, timeout
        headers = {"user-agent": f"ringfence/{version('ringfence')}", "accept": f"{_JSON}, */*"}
        if account:
            headers[_ACCOUNT] = account
        self._http = httpx2.Client(base_url=self.url, headers=headers, timeout=timeout, auth=_Proof(token, key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def fresh(self, timeout: float | None = None) -> Client:
        """A client of the same server for the same caller, with connections of its own."""
        patience = self._timeout if timeout is None else timeout
        return Client(self.url, token=self._token, key=self._key, account=self.account, timeout=patience)

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON at a path."""
        return self._json(self._send("GET", path, None, query, None))

    def get_bytes(self, path: str, query: Query | None = None) -> bytes:
        """What is at a path, as it is."""
        return self._send("GET", path, None, query, None).content

    def post(
        self, path: str, body: Any = None, query: Query | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Post a body, and give the JSON of the answer. A body of bytes goes as it is, anything else as JSON."""
        return self._json(self._send("POST", path, body, query, headers))

    def put(
        self, path: str, body: Any = None, query: Query | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Put a body; see `post`."""
        return self._json(self._send("PUT", path, body, query, headers))

    def patch(
        self, path: str, body: Any = None, query: Query | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Patch with a body; see `post`."""
        return self._json(self._send("PATCH", path, body, query, headers))

    def delete(
        self, path: str, body: Any = None, query: Query | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Delete what is at a path; see `post`."""
        return self._json(self._send("DELETE", path, body, query, headers))

    def pages(self, path: str, query: Query | None = None) -> Iterator[dict[str, Any]]:
        """All items of a list, page after page."""
        wanted = {"limit": 1000, **(query or {})}
        while True:
            page = self.get(path, wanted)
            yield from page["items"]
            if page.get("next") is None:
                return
            wanted["after"] = page["next"]

    @contextmanager
    def stream(
        self, method: str, path: str, query: Query | None = None, silence: float = 30.0
    ) -> Generator[Iterator[str], None, None]:
        """The lines of an answer as they come; ``silence`` is how many seconds may pass without any."""
        patience = httpx2.Timeout(self._timeout, read=silence)
        with self._told(), self._http.stream(method, path, params=_present(query), timeout=patience) as response:
            if not response.is_success:
                response.read()
                raise self._refusal(response)
            yield self._lines(response)

    def _send(
        self, method: str, path: str, body: Any, query: Query | None, headers: Mapping[str, str] | None
    ) -> httpx2.Response:
        given = dict(headers or {})
        content: bytes | None = body if isinstance(body, bytes) else None
        if body is not None and content is None:
            content = json_.dumps(body, ensure_ascii=False).encode()
            given.setdefault("content-type", _JSON)
        with self._told(query):
            response = self._http.request(method, path, params=_present(query), content=content, headers=given)
        if not response.is_success:
            raise self._refusal(response)
        return response

    def _json(self, response: httpx2.Response) -> Any:
        try:
            return json_.loads(response.content) if response.content else None
        except ValueError:
            raise self._stranger(response) from None

    def _refusal(self, response: httpx2.Response) -> Exception:
        try:
            told = json_.loads(response.content)
        except ValueError:
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("code"), str):
            return self._stranger(response)
        return error_of(response.status_code, told)

    def _stranger(self, response: httpx2.Response) -> ServerFailed:
        kind = response.headers.get("content-type", "nothing").partition(";")[0]
        what = f"{self.url} answered with status {response.status_code} and {kind} where JSON was due"
        return ServerFailed(f"{what}; check that it is a Ringfence server, and that nothing stands in between")

    def _lines(self, response: httpx2.Response) -> Iterator[str]:
        with self._told():
            yield from lines_of(response.iter_bytes())

    @contextmanager
    def _told(self, query: Query | None = None) -> Iterator[None]:
        """Tell a failure of the connection in our words."""
        try:
            yield
        except httpx2.TimeoutException as error:
            connecting = isinstance(error, httpx2.ConnectTimeout)
            what = "cannot be reached" if connecting else "did not answer"
            right = "check its address" if connecting else "look whether what was asked for is done before asking again"
            raise ServerUnreachable(f"{self.url} {what} within {self._timeout:g} s; {right}") from None
        except httpx2.ConnectError as error:
            what = f"{self.url} cannot be reached: {_reason(error)}"
            raise ServerUnreachable(f"{what}; check that it runs, and its address") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ServerUnreachable(f"the connection to {self.url} broke: {_reason(error)}; try again") from None


class _Proof(httpx2.Auth):
    """Proves who asks: by a signature over the request as it goes out, or by a token."""

    requires_request_body = True

    def __init__(self, token: Secret | None, key: AccessKey | None) -> None:
        self._token, self._key = token, key

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Add the headers."""
        if self._key:
            request.headers.update(signed_headers(_as_signed(request), self._key.id, self._key.secret))
        elif self._token:
            request.headers["authorization"] = f"Bearer {self._token.reveal()}"
        yield request


def _as_signed(request: httpx2.Request) -> Request:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return Request(request.method, path, query, tuple(request.headers.multi_items()), request.content)


def lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines of a text that comes in pieces. Only a newline ends one: JSON may hold other separators of lines."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode().removesuffix("\r")
    if rest:
        yield rest.decode()


def events_of(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Kind and data of the server-sent events of a stream."""
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, value


def _present(query: Query | None) -> dict[str, str | int | bool | Sequence[str]]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _reason(error: Exception) -> str:
    """What the system says of a failure, without the layers it went through."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
