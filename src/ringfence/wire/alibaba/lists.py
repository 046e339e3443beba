"""What prefix lists and port range lists have in common: rules name both, and both have entries with descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ringfence.control import basic, entries
from ringfence.control.draft import Draft
from ringfence.errors import NotationError, Refused
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import Listing, RuleOf
from ringfence.wire.alibaba.operation import Call, Field
from ringfence.wire.alibaba.paging import by_token
from ringfence.wire.alibaba.parameters import Parameters, invalid
from ringfence.wire.alibaba.tagged import has_tags, tags_said, tags_told
from ringfence.wire.alibaba.texts import description_of, name_of, time_of
from ringfence.wire.request import Fault, Told

TEXTS: Final = "InvalidDescription.Malformed"
RESERVED: Final = ("com.aliyun", "com.alibabacloud")
"""What names of lists may not begin with."""
_KINDS: Final = {Kind.GROUP: "securitygroup", Kind.ACL: "networkacl", Kind.VPC: "vpc", Kind.PEERING: "peering"}
"""Types of what may name a list; those of VPCs and peerings are ours, as ECS has no firewalls of them."""


@dataclass(frozen=True, slots=True)
class ListKind:
    """A kind of list, by its words: ``word`` stands in the names of parameters, ``entry`` is what an entry says."""

    kind: Kind
    word: str
    entry: str
    most: int
    """So many entries a list may ever have."""
    bad_name: str
    bad_entry: str
    twice: str
    read: Callable[[str], str]
    """An entry in our notation; raises `NotationError`."""
    missing: Fault
    """The refusal of a list that is not there."""

    @property
    def id_field(self) -> Field:
        """The parameter that names a list."""
        return Field(f"{self.word}Id", required=True)

    @property
    def name_field(self) -> str:
        """The parameter that says what a list is called."""
        return f"{self.word}Name"

    def entry_fields(self, name: str, *, described: bool = True) -> tuple[Field, ...]:
        """The parameters that list entries."""
        more = (Field(f"{name}.N.Description", "2 to 32 characters"),) if described else ()
        return (Field(f"{name}.N.{self.entry}", required=True), *more)

    @property
    def faults(self) -> Mapping[str, Fault]:
        """What refusals are called."""
        size = {f"limit.{self.kind}_entries": Fault(400, "LimitExceed.Entry")}
        used = {"resource.in_use": Fault(400, "NotAllowed.AssociationExist")}
        count = {
            f"QuotaExceed.{self.kind.words.title().replace(' ', '')}": Fault(404, f"LimitExceed.{self.word}PerRegion")
        }
        return {**size, **used, **count, "resource.not_found": self.missing}


# --- entries


def entries_of(of: ListKind, said: Parameters, name: str) -> dict[str, str]:
    """Descriptions by entries, as a request lists them; raises `InvalidFields`."""
    found: dict[str, str] = {}
    for part in said.parts(name):
        entry = _entry(of, part)
        if entry in found:
            raise invalid(f"{part.path}{of.entry}", "list it once", entry, of.twice)
        found[entry] = description_of(part, TEXTS, 2, 32)
    return found


def _entry(of: ListKind, part: Parameters) -> str:
    text = part.required(of.entry)
    try:
        return of.read(text)
    except NotationError as error:
        raise invalid(f"{part.path}{of.entry}", f"{error.what}; {error.right}", text, of.bad_entry) from None


# --- what is done


def create(of: ListKind, call: Call, more: Mapping[str, Any]) -> Told:
    """Make a list; ``more`` are further fields of it."""
    said = call.said
    if "ResourceGroupId" in said:
        raise Refused("The specified resource group does not exist.", reason="InvalidResourceGroup.NotFound")
    listed = entries_of(of, said, "Entry")
    wanted = {
        "name": name_of(said, of.name_field, of.bad_name, RESERVED),
        "description": description_of(said, TEXTS),
        "tags": tags_said(said),
        "max_entries": said.number("MaxEntries", 1, 1, of.most, "LimitExceed.MaxEntries"),
        "entries": list(listed),
        "remarks": {entry: text for entry, text in listed.items() if text},
        **more,
    }

    def work(draft: Draft) -> Told:
        return {f"{of.word}Id": basic.create(draft, of.kind, wanted).id}

    return call.change(work)


def modify(of: ListKind, call: Call, check: Callable[[Resource, Iterable[str]], None]) -> Told:
    """Change name, description and entries of a list; ``check`` refuses entries that a list cannot have."""
    said = call.said
    texts = {"name": name_of(said, of.name_field, of.bad_name, RESERVED), "description": description_of(said, TEXTS)}
    add, remove = (entries_of(of, said, name) for name in ("AddEntry", "RemoveEntry"))

    def work(draft: Draft) -> Told:
        found = draft.own(of.kind, said.required(f"{of.word}Id"))
        check(found, add)
        if given := {name: text for name, text in texts.items() if text}:
            basic.update(draft, of.kind, found.id, given)
        if add or remove:
            more = [{"entry": entry, "remark": text} for entry, text in add.items()]
            entries.edit_entries(draft, of.kind, found.id, more, list(remove))
        return {}

    return call.change(work)


def delete(of: ListKind, call: Call) -> Told:
    """Delete a list that nothing names."""

    def work(draft: Draft) -> Told:
        basic.delete(draft, of.kind, draft.own(of.kind, call.said.required(f"{of.word}Id")).id)
        return {}

    return call.change(work)


# --- what is told


def find(of: ListKind, call: Call, action: Action) -> Resource:
    """The list that a request is about; raises `NotFound`, `Forbidden`."""
    return call.find(of.kind, call.said.required(f"{of.word}Id"), action)


def page(of: ListKind, call: Call, takes: Callable[[Listing], bool] = lambda _: True) -> tuple[list[Resource], Told]:
    """The lists that a request asks for, and the next token."""
    said = call.said
    ids, name = said.every(f"{of.word}Id"), said.text(of.name_field)

    def is_wanted(it: Resource) -> bool:
        named = (not ids or it.id in ids) and name in ("", it.name) and "ResourceGroupId" not in said
        return named and has_tags(it, said) and takes(cast("Listing", it.value))

    return by_token(said, filter(is_wanted, call.visible(of.kind)), lambda it: it.id)


def told(of: ListKind, call: Call, resource: Resource) -> dict[str, Any]:
    """What is told of a list wherever it is told; a list of another API has no bound but that of its kind."""
    listed = cast("Listing", resource.value).listed
    return {
        f"{of.word}Id": resource.id,
        f"{of.word}Name": resource.name,
        "Description": resource.description,
        "CreationTime": time_of(resource.created),
        "MaxEntries": max(of.most, len(listed.entries)) if listed.max_entries is None else listed.max_entries,
        "AssociationCount": len(_users(call, resource)),
        "ResourceGroupId": "",
        "Tags": tags_told(resource.tags),
    }


def associations(call: Call, resource: Resource) -> tuple[list[Told], Told]:
    """What of the account names a list, and the next token."""
    users = sorted(_users(call, resource))
    shown, paged = by_token(call.said, users, lambda it: f"{it[0]} {it[1]}")
    return [{"ResourceType": _KINDS[kind], "ResourceId": id_} for kind, id_ in shown], paged


def _users(call: Call, resource: Resource) -> set[tuple[Kind, str]]:
    """Kind and id of what names a list: of a rule, its group."""
    found = (call.state.resources[key] for key in call.state.referrers(resource.key))
    return {(Kind.GROUP, it.value.group) if isinstance(it.value, RuleOf) else (it.kind, it.id) for it in found}
