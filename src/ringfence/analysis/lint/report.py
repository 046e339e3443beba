"""Findings as they are told: as JSON, as SARIF, and in a list of those that are accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ringfence.analysis.lint.finding import Finding, Severity
from ringfence.analysis.lint.registry import CHECKS, Check
from ringfence.model.validation import Path

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASELINE_VERSION = 1
_WORDS = {severity.word: severity for severity in Severity}


@dataclass(frozen=True, slots=True)
class Told:
    """A finding for programs. ``line`` is that in the world file, 0 where it is of none; ``fixable``: by ``--fix``.

    ``example`` is a flow that the finding is true of, in the words of ``ringfence why``; empty where there is none.
    """

    check: str
    severity: str
    kind: str
    name: str
    rule_id: str
    rule: str
    line: int
    reason: str
    fix: str
    fixable: bool
    example: str
    fingerprint: str

    @classmethod
    def of(cls, finding: Finding, line: Callable[[Path], int] = lambda _: 0) -> Told:
        """A finding, told; ``line`` says in which line of a file something stands."""
        place = finding.place
        return cls(
            finding.check,
            finding.severity.word,
            place.kind,
            place.name,
            place.rule_id,
            place.rule,
            line(place.path),
            finding.reason,
            finding.fix.text,
            finding.fix.removal is not None,
            str(finding.flow or ""),
            finding.fingerprint,
        )

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.kind} {self.name}" + (f": {self.rule}" if self.rule else "")

    @property
    def gravity(self) -> Severity:
        """How grave it is."""
        return _WORDS[self.severity]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


# ---- accepted findings


def baseline(findings: Iterable[Told]) -> dict[str, Any]:
    """The content of a file of accepted findings: what each is known by, and enough for people to review it."""
    keys = ("fingerprint", "check", "severity")
    told = [{**{key: getattr(it, key) for key in keys}, "place": it.place} for it in findings]
    ordered = sorted(told, key=lambda it: (it["place"], it["check"], it["fingerprint"]))
    return {"version": BASELINE_VERSION, "accepted": ordered}


def accepted(content: object) -> frozenset[str] | None:
    """The fingerprints in the content of such a file; None if it is none."""
    if not isinstance(content, Mapping) or content.get("version") != BASELINE_VERSION:
        return None
    listed = content.get("accepted")
    if not isinstance(listed, list) or not all(isinstance(it, Mapping) for it in listed):
        return None
    found = [it.get("fingerprint") for it in listed]
    return frozenset(map(str, found)) if all(isinstance(it, str) for it in found) else None


# ---- SARIF


def sarif(findings: Iterable[Told], known: Iterable[Told], version: str, uri: str = "") -> dict[str, Any]:
    """Findings in the Static Analysis Results Interchange Format 2.1.0 (OASIS).

    ``known`` are accepted ones, told as suppressed; ``version`` is Ringfence's, ``uri`` the world file's, as the
    reader of the results knows it.
    """
    index = {check.name: number for number, check in enumerate(CHECKS)}
    results = [_result(it, index, uri) for it in findings]
    results += [_result(it, index, uri) | {"suppressions": [{"kind": "external"}]} for it in known]
    driver = {"name": "ringfence", "version": version, "rules": [_rule(check) for check in CHECKS]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.name,
        "shortDescription": {"text": check.purpose.partition(". ")[0].rstrip(".") + "."},
        "fullDescription": {"text": check.purpose},
        "help": {"text": f"{check.fix} Source: {check.source}."},
        "defaultConfiguration": {"level": check.severities[0].word},
        "properties": {"tags": ["security"]},
    }


def _result(told: Told, index: Mapping[str, int], uri: str) -> dict[str, Any]:
    name = f"{told.kind} {told.name}" + (f"/{told.rule_id}" if told.rule_id else "")
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": name, "kind": told.kind}]}
    if uri and told.line:
        location["physicalLocation"] = {"artifactLocation": {"uri": uri}, "region": {"startLine": told.line}}
    return {
        "ruleId": told.check,
        "ruleIndex": index[told.check],
        "level": told.severity,
        "message": {"text": f"{told.place}: {told.reason}. Fix: {told.fix}."},
        "locations": [location],
        "partialFingerprints": {"ringfence/v1": told.fingerprint},
    }
