"""A ticket in one file: the question, the answer, and what the answer was found by, without secrets."""

from __future__ import annotations

import gzip
import io
import json
import os
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from ringfence.analysis.why.asking import Question
from ringfence.api.redaction import REDACTED, clean, clean_text, is_sensitive
from ringfence.cli.files import writing
from ringfence.errors import InvalidInput
from ringfence.model.acl import AclRule
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import Rule
from ringfence.model.world import World
from ringfence.worldfile import dump

Line = TypeVar("Line", Rule, AclRule)


def check_free(path: Path, *, overwrite: bool) -> None:
    """Raise `InvalidInput` where a file would be overwritten and nobody said so."""
    if path.exists() and not overwrite:
        raise InvalidInput(f"{path} is there already; name another file, or say --overwrite")


def contents(question: Question, asked_of: str, text: str, told: Mapping[str, object]) -> dict[str, object]:
    """What every bundle has, by the names of files: question, answer for people and programs, versions."""
    return {
        "question.json": {
            "source": question.source,
            "destination": question.destination,
            "service": str(question.service),
            "over": str(question.family) if question.family else None,
            "from_port": question.source_port,
            "asked_of": asked_of,
        },
        "answer.txt": text + "\n",
        "answer.json": told,
        "versions.json": {
            "ringfence": version("ringfence"),
            "python": platform.python_version(),
            "kernel": f"{platform.system()} {platform.release()}",
        },
    }


def world_text(world: World) -> str:
    """A world file without the secrets that people may have written into descriptions, tags and reasons."""
    return dump(
        replace(
            world,
            groups={name: _clean_group(group) for name, group in world.groups.items()},
            acls={
                name: replace(acl, description=clean_text(acl.description), rules=_clean_lines(acl.rules))
                for name, acl in world.acls.items()
            },
            vpcs={name: replace(vpc, border=_clean_lines(vpc.border)) for name, vpc in world.vpcs.items()},
            peerings={name: replace(it, firewall=_clean_lines(it.firewall)) for name, it in world.peerings.items()},
            penalties={name: replace(it, reason=clean_text(it.reason)) for name, it in world.penalties.items()},
        )
    )


def _clean_group(group: SecurityGroup) -> SecurityGroup:
    tags = {key: REDACTED if is_sensitive(key) else clean_text(value) for key, value in group.tags.items()}
    return replace(group, description=clean_text(group.description), tags=tags, rules=_clean_lines(group.rules))


def _clean_lines(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple(replace(line, description=clean_text(line.description)) for line in lines)


def write(path: Path, files: Mapping[str, object], world: World | None, *, overwrite: bool) -> None:
    """Write the bundle, for its owner's eyes alone: texts and values by the names of their files, and a world.

    Secrets are taken out of all of it; the same content is the same bytes. Raises `InvalidInput`.
    """
    texts = {name: _text(value) for name, value in files.items()}
    if world:
        texts["world.yaml"] = world_text(world)
    packed = _packed(path.name.partition(".")[0] or "bundle", texts)
    check_free(path, overwrite=overwrite)
    with writing(path):
        _put(path, packed, overwrite=overwrite)


def _put(path: Path, packed: bytes, *, overwrite: bool) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(packed)
        if overwrite:
            draft.replace(path)
        else:
            os.link(draft, path)  # which, unlike a renaming, takes nobody's place
    except FileExistsError:
        check_free(path, overwrite=overwrite)
        raise
    finally:
        draft.unlink(missing_ok=True)


def _text(value: object) -> str:
    if isinstance(value, str):
        return clean_text(value)
    return json.dumps(clean(value), indent=2, ensure_ascii=False) + "\n"


def _packed(folder: str, files: Mapping[str, str]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)
