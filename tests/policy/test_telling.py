"""How a verdict is told: to programs as JSON, to people in one line and in many."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from ringfence.analysis.why.diagnosis import diagnose, diagnosed
from ringfence.analysis.why.telling import explain
from ringfence.model.address import Family
from ringfence.model.profile import HUAWEI
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy, evaluate
from ringfence.policy.verdict import Verdict
from tests.policy.build import ask, build
from tests.policy.draw import flows_of, worlds

WORLD = build(
    HUAWEI,
    "a: src; b: dst; other/c: src",
    {
        "src": 'out deny tcp 81 to any; out allow all to any priority 2 "to all"',
        "dst": "in allow tcp 80 from group src; in deny tcp 80 from any priority 7",
    },
)
OUT, BACK, IN, NO = (rule.id_in(name) for name in ("src", "dst") for rule in WORLD.groups[name].rules)


def verdict_of(text: str) -> Verdict:
    return evaluate(WORLD, ask(WORLD, text, Family.IPV4))


def test_as_json() -> None:
    late = {"group": "dst", "rule_id": NO, "text": "in deny tcp 80 from any priority 7"}
    egress = {
        "stage": "egress",
        "verdict": "allow",
        "port": "a.eth0",
        "place": "a.eth0",
        "group": "src",
        "rule_id": BACK,
        "text": 'out allow all to any priority 2 "to all"',
        "late": [],
    }
    ingress = {
        "stage": "ingress",
        "verdict": "allow",
        "port": "b.eth0",
        "place": "b.eth0",
        "group": "dst",
        "rule_id": IN,
        "text": "in allow tcp 80 from group src priority 1",
        "late": [late],
    }
    found = json.loads(json.dumps(verdict_of("a -> b tcp/80").as_json()))
    assert found == {
        "flow": "a -> b tcp/80 over ipv4",
        "verdict": "allow",
        "arrives": True,
        "decided_by": ingress,
        "stages": [egress, ingress],
        "back": [],
    }


ENDS = "a (10.0.0.11) -> b (10.0.0.12)"
TOLD = {
    "a -> b tcp/80": [ENDS, "ALLOW", "Allowed", "path", "a.eth0", BACK, "b.eth0", IN, "too late", NO],
    "a -> b tcp/81": [
        *(ENDS, "DENY", "Why: port", "Denied out of a.eth0", "src", OUT, "out deny", "nearly", BACK, "weaker"),
        *("Denied into b.eth0", "dst", "nearly", IN, "80 and not 81", "path", OUT, "too late", BACK, "default-ingress"),
    ],
    "laptop -> b tcp/80": [
        "DENY",
        "source",
        NO,
        "in deny tcp 80 from any",
        "nearly",
        IN,
        "outside",
        "path",
    ],
    "a -> c icmp": ["DENY", "no-route", "not connected", "path", "a.eth0", BACK, "no-route"],
    "laptop -> visitor gre": ["ALLOW", "Allowed", "outside of every VPC", "path"],
}


@pytest.mark.parametrize("flow", TOLD)
def test_explain_says_what_stands_on_the_path_and_in_that_order(flow: str) -> None:
    text = explain(diagnose(WORLD, ask(WORLD, flow, Family.IPV4)).as_json())
    place = 0
    for word in TOLD[flow]:
        place = text.find(word, place)
        assert place >= 0, f"{word!r} is not in its place in:\n{text}"


@settings(max_examples=25, deadline=None)
@given(worlds())
def test_all_tellings_agree(world: World) -> None:
    policy = Policy(world)
    for flow in flows_of(world, 20):
        verdict = policy.evaluate(flow)
        text = explain(json.loads(json.dumps(diagnosed(policy, flow).as_json())))
        line, told = str(verdict), json.loads(json.dumps(verdict.as_json()))
        assert told["verdict"] == str(verdict.action)
        assert told["decided_by"] in [*told["stages"], *told["back"]]
        assert told["decided_by"]["verdict"] == told["verdict"]
        assert "\n" not in line
        assert told["decided_by"]["rule_id"] in line
        assert str(verdict.action).upper() in text.splitlines()[0]
        for step in told["stages"]:
            assert all(it["rule_id"] in text and it["text"] in text for it in (step, *step["late"]))
