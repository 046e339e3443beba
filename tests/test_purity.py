"""The pure rooms import nothing but a few modules that compute: a list of what is allowed has no holes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ringfence

PACKAGE = Path(ringfence.__file__).parent
ROOMS = ("model", "policy", "compile", "analysis", "resources", "ram", "importing")
ALLOWED = {
    *("__future__", "abc", "bisect", "collections", "dataclasses", "datetime", "difflib", "enum", "functools"),
    *("hashlib", "html", "ipaddress", "itertools", "json", "operator", "orjson", "re", "rpds", "shlex"),
    *("types", "typing"),
    *(f"ringfence.{room}" for room in (*ROOMS, "errors", "lazy")),
}
BUILTINS = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
MODULES = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert not node.level
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_pure_room_only_computes(path: Path) -> None:
    tree = ast.parse(path.read_text())
    roots = {".".join(name.split(".")[: 2 if name.startswith("ringfence.") else 1]) for name in imported(tree)}
    assert roots <= ALLOWED
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert called & BUILTINS == set()
