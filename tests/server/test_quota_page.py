"""The page of quotas, as a browser gets it: by a cookie that counts for nothing else, escaped, and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import httpx2
import pytest

from ringfence.console import page
from ringfence.console.pages import COOKIE
from ringfence.control.identity import From
from ringfence.resources.kind import Kind
from ringfence.server.runtime import Runtime, Settings
from tests.control.service import ROOT, Service
from tests.serving import serving

EVIL = '"><script>alert(1)</script>&amp;'


class Reader(HTMLParser):
    """The rows of all tables, the headings, and every element that there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Runtime, str]]:
    """The address of a service with some resources, the service, and an operator's token."""
    runtime = Runtime(Settings.at(tmp_path_factory.mktemp("data")))
    key = runtime.root_key
    assert key
    service = Service(runtime.control, runtime.identities)

    service.make(Kind.VPC, name="shop", cidrs=["10.0.0.0/16"])
    service.make(Kind.SUBNET, name="web", vpc="shop", cidr="10.0.1.0/24")
    for name in ("sg-web", EVIL):
        service.make(Kind.GROUP, name=name, vpc="shop")
    for port in range(1, 10):
        service.make(Kind.RULE, group="sg-web", rule=f"in allow tcp {port} from any")
    service.make(Kind.INSTANCE, name="web-1", ports=[{"subnet": "web", "groups": ["sg-web"]}])
    service.make(Kind.QUOTA, target="operator", limits={"rules_per_group": 20})

    token, _ = runtime.identities.log_in(runtime.identities.by_key(key.id, From()))
    with runtime.running(), serving(runtime.app()) as running:
        yield running.url, runtime, token.reveal()


@pytest.fixture
def browser(site: tuple[str, Runtime, str]) -> Iterator[httpx2.Client]:
    """A browser with cookies of its own."""
    with httpx2.Client(base_url=site[0], follow_redirects=True) as made:
        yield made


def signed_in(browser: httpx2.Client, token: str, **headers: str) -> httpx2.Response:
    return browser.post("/quotas/sign-in", data={"token": token}, headers=headers)


def test_used_and_limit_are_shown_to_who_signs_in(browser: httpx2.Client, site: tuple[str, Runtime, str]) -> None:
    first = browser.get("/quotas")
    assert (first.status_code, "form" in Reader(first.text).elements) == (200, True)
    shown = signed_in(browser, site[2])
    assert (shown.status_code, shown.url.path) == (200, "/quotas")
    told = Reader(shown.text)
    rows = [row for row in told.rows if row]
    assert next(row[1:3] for row in rows if row[0].startswith("vpcs"))[0] == "1"
    of_groups = {row[1]: row[2:4] + row[5:] for row in rows if row[0] == "rules per group"}
    assert of_groups["sg-web"] == ["18", "20", "operator"]
    assert of_groups[EVIL][1:] == ["20", "operator"]  # read back as it was written, and no element of its own
    assert not told.elements & {"script", "img", "iframe", "object", "link", "base"}
    assert not {name for name in told.attributes if name.startswith("on") or name in ("style", "src", "href")}
    for answer in (first, shown):
        headers = answer.headers
        assert {name: headers[name] for name in page.HEADERS} == page.HEADERS
        assert headers["content-type"].startswith("text/html")
    policy = page.HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_cookie_counts_for_the_page_only(browser: httpx2.Client, site: tuple[str, Runtime, str]) -> None:
    url, _, token = site
    answer = httpx2.post(f"{url}/quotas/sign-in", data={"token": token})
    assert answer.status_code == 303
    assert answer.headers["set-cookie"] == f"{COOKIE}={token}; Path=/quotas; HttpOnly; SameSite=Strict"
    cookie = {"cookie": f"{COOKIE}={token}"}
    for path in ("/v1/quotas/usage", "/v1/vpcs", "/v1/me", "/metrics"):
        assert httpx2.get(url + path, headers=cookie).status_code == 401
    assert httpx2.post(f"{url}/v1/vpcs", headers=cookie, json={"name": "x"}).status_code == 401
    assert "sg-web" in signed_in(browser, token).text
    assert "sg-web" not in browser.post("/quotas/sign-out").text
    assert COOKIE not in browser.cookies


def test_who_is_nobody_or_may_not_sees_nothing(browser: httpx2.Client, site: tuple[str, Runtime, str]) -> None:
    url, runtime, token = site
    for wrong in ("", "what", EVIL, f"{token[:-1]}~", "x" * 100_000, f"rft_{'A' * 43}"):
        refused = signed_in(browser, wrong)
        assert (refused.status_code, "sg-web" in refused.text, "<script>" in refused.text) == (401, False, False)
    assert signed_in(browser, token, **{"sec-fetch-site": "cross-site"}).status_code == 403
    stale = httpx2.get(f"{url}/quotas", headers={"cookie": f"{COOKIE}=rft_{'A' * 43}"})
    assert (stale.status_code, "form" in Reader(stale.text).elements) == (401, True)

    service = Service(runtime.control, runtime.identities, ROOT)
    tenant = service.make(Kind.ACCOUNT, name="tenant").id
    acting = service.acting(account=tenant, home="operator")
    nobody = acting.make(Kind.USER, name="nobody").id
    for owner, status in ((nobody, 403), ("", 200)):
        key, _ = acting.do(lambda draft, of=owner: runtime.identities.create_key(draft, of))  # type: ignore[misc]
        own, _ = runtime.identities.log_in(runtime.identities.by_key(key.id, From()))
        shown = signed_in(browser, own.reveal())
        assert (shown.status_code, "sg-web" in shown.text) == (status, False)
        assert browser.get("/quotas?account=operator").status_code == 403
    assert signed_in(browser, token).status_code == 200
    other = browser.get("/quotas", params={"account": tenant})
    assert (other.status_code, "sg-web" in other.text, tenant in other.text) == (200, False, True)
