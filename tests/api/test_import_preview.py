"""A preview of a file of rules names every row that cannot be imported, whatever is wrong, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.exchange import comma, sheet
from ringfence.ram.actions import ACTIONS
from tests.api.asking import Town, only

HEADING = ["Direction", "Priority", "Action", "Protocol", "Port", "Type", "Source", "Destination", "Description"]


def row(port: str, source: str = "10.9.0.0/16", **said: str) -> list[str]:
    plain = dict(zip(HEADING, ["Inbound", "1", "Allow", "TCP", port, "", source, "", ""], strict=True))
    return [*(plain | {name.capitalize(): text for name, text in said.items()}).values()]


def looked(here: Town, rows: list[list[str]], form: str = "csv", **more: str) -> Any:
    """What a preview for a group says."""
    file = (comma if form == "csv" else sheet).write([HEADING, *rows])
    return here.http.post(
        f"/v1/groups/{here.tenant.ids['other_group']}/rules/import",
        params={"format": form, "preview": "true"} | more,
        content=file,
        headers={"authorization": f"Bearer {here.tenant.tokens['account']}"},
    )


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_rows_that_are_wrong_by_themselves_hide_no_others(here: Town, form: str) -> None:
    """A row that cannot be read, one that names a group of another VPC, one that is good, one that repeats it."""
    head, elsewhere = here.served.control.state.revision, f"group {here.tenant.ids['lab_group']}"
    rows = [row("80-8q"), row("81", elsewhere), row("82"), row("82"), row("83", elsewhere, priority="0")]
    mistakes = {
        2: [("Port", "80-8q", "input.notation")],
        3: [("", f"in allow tcp 81 from {elsewhere} priority 1", "InvalidSourceGroupId.Mismatch")],
        4: [],
        5: [("", "in allow tcp 82 from 10.9.0.0/16 priority 1", "exchange.duplicate")],
        6: [("Priority", "0", "input.notation")],
    }
    for left, expected in ((rows, mistakes), (rows[1:3], {2: mistakes[3], 3: []})):
        response = looked(here, left, form)
        assert response.status_code == 200, response.text
        told = response.json()
        named = {it["row"]: [(at["field"], at["value"], at["code"]) for at in it["problems"]] for it in told["rows"]}
        assert named == expected
        assert (told["added"], told["dry_run"], told["reachability"]) == ([], True, None)
    assert here.served.control.state.revision == head


def test_what_no_row_is_to_blame_for_is_told_unless_a_row_is(here: Town) -> None:
    """Too many rules for the group are a refusal; with a row to mend first, that row is told."""
    there = len(here.served.control.state.rules(here.tenant.ids["other_group"]))
    rows = [row(str(port)) for port in range(1, 201)]
    client = here.served.client()
    with client:
        client.put("/v1/quotas", {"target": here.tenant.id, "limits": {"rules_per_group": 199}})
        full = looked(here, rows)
        assert (full.status_code, full.json()["code"], there) == (403, "AuthorizationLimitExceed", 0)
        told = looked(here, [*rows[1:], row("nought")]).json()
        assert {it["row"] for it in told["rows"] if it["problems"]} == {201}
        client.put("/v1/quotas", {"target": here.tenant.id, "limits": {"rules_per_group": None}})


def test_who_may_not_add_rules_is_told_nothing_of_them(here: Town) -> None:
    """Also where another row is bad, so that none would be added."""
    here.allow(here.tenant, only([ACTIONS["ImportSecurityGroupRules"]]))
    token = {"authorization": f"Bearer {here.tenant.tokens['probe']}"}
    path = f"/v1/groups/{here.tenant.ids['other_group']}/rules/import?format=csv&preview=true"
    for rows in ([row("80")], [row("80"), row("nought")]):
        assert here.http.post(path, content=comma.write([HEADING, *rows]), headers=token).status_code == 403
