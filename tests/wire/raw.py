"""Requests that no SDK would send, signed as if one had: what a surface makes of them must never be a failure."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from ringfence.control.identity import From
from ringfence.security.keys import AccessKey
from ringfence.security.signing import Request as Signed
from ringfence.wire.alibaba.signing import rpc_text
from ringfence.wire.huawei.signing import canonical_of, signature
from ringfence.wire.request import Request


@dataclass(frozen=True)
class Raw:
    """Somebody with an access key, or a wrong one."""

    key: AccessKey

    def rpc(self, action: str, version: str, said: Mapping[str, str], method: str = "POST") -> Request:
        """A request to Alibaba's APIs."""
        now = datetime.now(UTC)
        common = {
            "Action": action, "Version": version, "Format": "JSON", "AccessKeyId": self.key.id,
            "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": secrets.token_hex(16),
            "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip
        values = {**said, **common}
        text = rpc_text(method, "/", values)
        made = hmac.digest(f"{self.key.secret.reveal()}&".encode(), text.encode(), "sha1")
        query = urlencode({**values, "Signature": base64.b64encode(made).decode()}, quote_via=quote)
        return Request(Signed(method, "/", query, (("host", "127.0.0.1"),), b""), From(source="127.0.0.1"))

    def rest(self, method: str, path: str, query: str, body: bytes) -> Request:
        """A request to Huawei's APIs."""
        date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = (("host", "127.0.0.1"), ("x-sdk-date", date))
        bare = Request(Signed(method, quote(path), query, headers, body), From(source="127.0.0.1"))
        names = ("host", "x-sdk-date")
        made = signature(canonical_of(bare, names), date, self.key.secret)
        authorization = f"SDK-HMAC-SHA256 Access={self.key.id}, SignedHeaders={';'.join(names)}, Signature={made}"
        signed = Signed(method, quote(path), query, (*headers, ("authorization", authorization)), body)
        return Request(signed, From(source="127.0.0.1"))
