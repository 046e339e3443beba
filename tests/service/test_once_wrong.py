"""Histories that once led to a state which another process on the same store did not see, or to a world that lied."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.service.histories import History, closed, opened
from tests.service.plain import TENANT, Step
from tests.service.requests import beginning

RULES = [{"direction": "ingress", "protocol": "tcp", "ports": str(port), "priority": 5} for port in range(12, 0, -1)]
MACHINE = Step("create", "instance", said={"name": "i4", "ports": [{"subnet": "n1"}, {"subnet": "n1"}]})
PORT = {"instance": "<i4>", "subnet": "n1", "groups": ["<g1>"]}
FLOW = Step("create", "expectation", said={"expect": "<i1> -> <i2> tcp/80 allow"})
SPAM = Step("create", "penalty", said={"port": "<i1.eth0>", "reason": "spam"})
CUT_OFF = Step("create", "penalty", said={"port": "<i4.eth1>", "reason": "spam"})
FREE = Step("delete", "penalty", "<penalty>")
ADDED = [{"entry": entry, "remark": ""} for entry in ("192.0.2.9", "10.0.0.1")]
HISTORIES: Mapping[str, Sequence[Sequence[Step]]] = {
    "rules in another order than their ids": [[Step("authorize", "rule", "<g1>", RULES)]],
    "entries in another order than their addresses": [
        [Step("edit_entries", "address_group", "<l1>", {"add": ADDED, "remove": []})]
    ],
    "one of two penalties for a port goes": [[SPAM], [SPAM], [FREE]],
    "a penalty goes with its port": [[MACHINE], [CUT_OFF], [FREE, Step("delete", "port", "<i4.eth1>")]],
    "one of two that expect the same goes": [[FLOW], [FLOW], [Step("delete", "expectation", "<expectation>")]],
    "a port comes after another one went": [
        [MACHINE],
        [Step("delete", "port", "<i4.eth0>")],
        [Step("create", "port", said=PORT)],
    ],
    "two ports of one name": [[MACHINE], [Step("create", "port", said=PORT | {"name": "eth1"})]],
    "two ports of one number": [[MACHINE], [Step("create", "port", said=PORT | {"index": 1})]],
}
"""Things stand by their names in brackets, and one of a kind without names by its kind."""


@pytest.mark.parametrize("account", ["operator", TENANT])
@pytest.mark.parametrize("name", HISTORIES)
def test_it_went_wrong_once(name: str, account: str, tmp_path: Path) -> None:
    """For a tenant, too, where the id of a port is not its name."""
    control, _ = opened(tmp_path)
    history = History(control, account)
    history.request([step for step in beginning(random.Random(0)) if step.kind != "rule"])
    for steps in HISTORIES[name]:
        history.request([_by_id(history, step) for step in steps])
        history.check_store()
    history.check_world()
    history.check_replays(random.Random(1))
    closed(control)


def _by_id(history: History, step: Step) -> Step:
    """The step with ids in place of what stands in brackets."""
    things, ids = history.plain.things, dict[str, str]()
    for (kind, id_), thing in things.items():
        owner = things.get(("instance", thing.get("instance", "")))
        name = f"{owner['name']}.{thing['name']}" if kind == "port" and owner else thing["name"] or kind
        ids.setdefault(f"<{name}>", id_)
    text = json.dumps([step.ref, step.said])
    for name, id_ in ids.items():
        text = text.replace(name, id_)
    ref, said = _read(text)
    return Step(step.verb, step.kind, ref, said)


def _read(text: str) -> tuple[str, Any]:
    ref, said = json.loads(text)
    return ref, said
