"""The pages as HTML: texts in, one document out. Everything that is not markup of ours is escaped; no scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from ringfence.control.quotas import Usage
from ringfence.resources.resource import Resource
from ringfence.resources.values import PortAt

_NEARLY = 0.8
"""The share from which on a limit is nearly used up."""
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
header { display: flex; justify-content: space-between; align-items: baseline; flex-wrap: wrap; gap: 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884; }
th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.by, .hint { opacity: .7; }
.full { font-weight: 700; }
meter { width: 8rem; height: 1rem; vertical-align: middle; }
input, button { font: inherit; padding: .4rem .6rem; }
input { width: 100%; max-width: 36rem; box-sizing: border-box; display: block; margin: .3rem 0 1rem; }
.refused { border-left: 4px solid #c22; padding: .5rem 1rem; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""What goes with every page: nothing is loaded from anywhere, nobody frames it, nothing is kept."""


def sign_in(refused: str = "") -> str:
    """The form for a token; ``refused`` says why the last one was not taken."""
    told = f'<p class="refused" role="alert">{escape(refused)}</p>' if refused else ""
    return _document(
        "Sign in",
        f"""<header><h1>Ringfence</h1></header>
<h2>Sign in to see quotas</h2>
{told}<form method="post" action="/quotas/sign-in">
<label for="token">A token</label>
<input id="token" name="token" type="password" autocomplete="off" required>
<button>Sign in</button>
</form>
<p class="hint">A token is made by <code>ringfence login</code>, which keeps it in its login file, or by
<code>POST /v1/tokens</code>.</p>""",
    )


def refused(what: str) -> str:
    """A page that says why there is nothing to see."""
    return _document("Quotas", f'{_header("Quotas")}\n<p class="refused" role="alert">{escape(what)}</p>')


def quotas(account: str, name: str, found: Iterable[Usage]) -> str:
    """What an account uses of each limit."""
    usages = list(found)
    called = f"{escape(name)} ({escape(account)})" if name not in ("", account) else escape(account)
    own = [it for it in usages if it.of is None]
    parts = [_header(f"Quotas of {called}"), _table("The account", own, with_names=False)]
    for kind, each in groupby((it for it in usages if it.of), key=lambda it: it.of.kind.words if it.of else ""):
        parts.append(_table(f"Each {escape(kind)}: the fullest", each, with_names=True))
    return _document("Quotas", "\n".join(parts))


def _header(title: str) -> str:
    button = '<form method="post" action="/quotas/sign-out"><button>Sign out</button></form>'
    return f"<header><h1>{title}</h1>{button}</header>"


def _table(title: str, usages: Iterable[Usage], *, with_names: bool) -> str:
    names = '<th scope="col">Of</th>' if with_names else ""
    rows = "\n".join(_rows(usages, with_names=with_names))
    return f"""<h2>{title}</h2>
<table>
<thead><tr><th scope="col">Limit</th>{names}<th scope="col" class="number">Used</th>
<th scope="col" class="number">Allowed</th><th scope="col">Share</th><th scope="col">Set by</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>"""


def _rows(usages: Iterable[Usage], *, with_names: bool) -> Iterator[str]:
    for it in usages:
        of = f"<td>{escape(_called(it.of))}</td>" if with_names and it.of else ""
        row = ' class="full"' if it.share >= 1 else ""
        yield (
            f"<tr{row}><td>{escape(it.limit.replace('_', ' '))}</td>{of}"
            f'<td class="number">{it.used}</td><td class="number">{it.allowed}</td><td>{_meter(it)}</td>'
            f'<td class="by">{escape(it.source)}</td></tr>'
        )


def _called(resource: Resource) -> str:
    """What people know it by; ports of all instances have the same few names."""
    if isinstance(resource.value, PortAt):
        return f"{resource.value.port.instance} {resource.name}".strip() or resource.id
    return resource.name or resource.id


def _meter(it: Usage) -> str:
    most = max(it.allowed, it.used, 1)
    said = f"{min(it.share, 9.99):.0%}"
    return f'<meter min="0" max="{most}" high="{_NEARLY * most:g}" optimum="0" value="{it.used}">{said}</meter> {said}'


def _document(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} - Ringfence</title>
<style>{_STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""
