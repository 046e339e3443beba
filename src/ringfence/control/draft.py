"""A change in the making: what an operation has put and removed so far, each under the action that allows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from ringfence.control.authority import OPERATOR, Authority
from ringfence.control.caller import Caller
from ringfence.control.ids import new_id
from ringfence.control.kinds import Verb, action_for
from ringfence.errors import Forbidden, NotFound, RingfenceError
from ringfence.model.topology import Subnet
from ringfence.model.world import nearest
from ringfence.ram.actions import Action
from ringfence.ram.arn import ResourceType
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource, ResourceChange, Text
from ringfence.resources.state import State
from ringfence.resources.values import RuleOf, SharedVpc


@dataclass(frozen=True, slots=True)
class Allowed:
    """An action that was allowed on a resource, for the audit."""

    action: Action
    resource: str
    said: str = ""
    """What the caller said to it and what it was about, as JSON; for the audit."""


class Draft:
    """A change in the making. Nothing can be put or removed without an action, and RAM judges each."""

    def __init__(self, state: State, caller: Caller, authority: Authority, at: str) -> None:
        self.state = state
        """What was there before."""
        self.caller = caller
        self.at = at
        """The time of the change, UTC."""
        self.allowed: dict[tuple[str, str], Allowed] = {}
        """What was allowed so far, by action and resource."""
        self.places: dict[Key, str] = {}
        """Where the request says what becomes of a resource, for messages: ``rules.3``."""
        self.answer: tuple[int, str] | None = None
        """Status and body of the answer, where the request may be repeated: see `Control.change`."""
        self.confirm_until: str | None = None
        """When the change is taken back unless it was confirmed, UTC: see `ringfence.control.confirming`."""
        self._texts: dict[Key, tuple[Resource, Text]] = {}
        self._made: dict[Key, ResourceChange] = {}
        self._authority = authority.for_now(self._made)
        self._changes: tuple[ResourceChange, ...] | None = None  # of those, once somebody has asked

    def __contains__(self, key: Key) -> bool:
        return self.get(key.kind, key.id) is not None

    def get(self, kind: Kind, id_: str) -> Resource | None:
        """A resource as the change leaves it so far, whoever has it."""
        made = self._made.get(Key(kind, id_))
        return made.after if made else self.state.get(kind, id_)

    def usable(self, kind: Kind, id_: str) -> Resource | None:
        """The same, where the caller's account may name it: its own, and VPCs and subnets that are shared with it.

        What belongs to others looks as if it was not there.
        """
        found = self.get(kind, id_)
        if found is None or found.account == self.caller.account:
            return found
        vpc = self.get(Kind.VPC, found.value.vpc) if isinstance(found.value, Subnet) else found
        shared = vpc.value.shared_with if vpc and isinstance(vpc.value, SharedVpc) else ()
        return found if self.caller.account in shared else None

    def find(self, kind: Kind, ref: str) -> Resource:
        """A resource of the caller's account by its id, or by its name where only one has it. Raises `NotFound`."""
        found = self._meant(kind, ref)
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFound(
                f"several {kind.words}s are called {ref!r}",
                f"give an id: {', '.join(sorted(it.id for it in found))}",
                field="id",
                value=ref,
                kind=kind.value,
            )
        raise self.missing(kind, ref)

    def own(self, kind: Kind, id_: str) -> Resource:
        """A resource of the caller's account by its id alone, as the clouds' APIs know it. Raises `NotFound`."""
        found = self.get(kind, id_)
        if found is None or found.account != self.caller.account:
            raise self.missing(kind, id_)
        return found

    def missing(self, kind: Kind, ref: str) -> NotFound:
        """The refusal of what is not there."""
        return not_found(self._authority, self.state, self.caller, kind, ref)

    def lookup(self, kind: Kind, ref: str) -> Resource | None:
        """The same, or None where there is none or the name is not enough."""
        found = self._meant(kind, ref)
        return found[0] if len(found) == 1 else None

    def _meant(self, kind: Kind, ref: str) -> list[Resource]:
        """What an id or a name may mean."""
        found = self.get(kind, ref)
        if found and found.account == self.caller.account:
            return [found]
        kept = [it for it in self.state.named(self.caller.account, kind, ref) if it.key not in self._made]
        made = [it.after for it in self._made.values() if it.after and self._is_called(it.after, kind, ref)]
        return [*kept, *made]

    def rules(self, group: str) -> list[Resource]:
        """The rules of a group as the change leaves it so far."""
        made = [it.after for it in self._made.values() if it.after and isinstance(it.after.value, RuleOf)]
        own = [it for it in made if isinstance(it.value, RuleOf) and it.value.group == group]
        return [*(it for it in self.state.rules(group) if it.key not in self._made), *own]

    def referring(self, key: Key, *kinds: Kind) -> list[Resource]:
        """What of some kinds refers to a resource as the change leaves it so far, whoever has it."""
        kept = [
            self.state.resources[it] for it in self.state.referrers(key) if it.kind in kinds and it not in self._made
        ]
        made = [it.after for it in self._made.values() if it.after and it.after.kind in kinds]
        return [*kept, *(it for it in made if key in it.refers)]

    def _is_called(self, resource: Resource, kind: Kind, name: str) -> bool:
        return bool(name) and (resource.kind, resource.account, resource.name) == (kind, self.caller.account, name)

    def owned(self, kind: Kind) -> list[Resource]:
        """What the caller's account has of a kind, as the change leaves it so far, by id."""
        kept = [it for it in self.state.owned(self.caller.account, kind) if it.key not in self._made]
        made = [it.after for it in self._made.values() if it.after and it.after.kind is kind]
        return sorted([*kept, *(it for it in made if it.account == self.caller.account)], key=lambda it: it.id)

    def require(self, action: Action, *resources: Resource, written: Resource | None = None) -> None:
        """Raise `Forbidden` unless the caller may do it to all of these. What is put needs no extra call.

        ``written`` is what becomes of a resource that is judged as it was: its tags of before count.
        """
        for resource in resources:
            self._allow(action, self._authority.require(self.caller, action, resource, written or resource))

    def require_any(self, action: Action, kind: Kind | ResourceType, said: str = "") -> None:
        """Raise `Forbidden` unless the caller may do it to resources of a kind as such; ``said`` as of `Allowed`."""
        self._allow(action, self._authority.require_kind(self.caller, action, kind), said)

    def require_own(self, action: Action) -> None:
        """Raise `Forbidden` if a policy denies what everybody may do for themselves."""
        self._allow(action, self._authority.require_own(self.caller, action))

    def _allow(self, action: Action, arn: str, said: str = "") -> None:
        if said or (action.name, arn) not in self.allowed:
            self.allowed[action.name, arn] = Allowed(action, arn, said)

    @contextmanager
    def telling(self, action: Action, resource: Resource) -> Iterator[None]:
        """What goes wrong inside is told only to who may do that to the resource; to others, that they may not."""
        try:
            yield
        except Forbidden:
            raise
        except RingfenceError:
            self.require(action, resource)
            raise

    def put(self, action: Action, resource: Resource, judged: Resource | None = None) -> Resource:
        """Make a resource, or leave it like this; ``judged`` is what RAM judges in its place. Raises `Forbidden`."""
        key = resource.key
        made, kept = self._made.get(key), self.state.resources.get(key)
        before = made.after if made else kept
        self._allow(
            action, self._authority.require(self.caller, action, judged or before or resource, judged or resource)
        )
        self._made[key] = ResourceChange(kept, resource)
        self._changes = None
        return resource

    def remove(self, action: Action, resource: Resource) -> None:
        """Remove a resource. Raises `Forbidden`."""
        self.require(action, resource)
        before = self.state.get(resource.kind, resource.id)
        self._changes = None
        if before:
            self._made[resource.key] = ResourceChange(before, None)
        else:
            del self._made[resource.key]

    def shown(self, resource: Resource) -> Text:
        """What may be told of a resource that the change makes: the text that is stored, where nothing is hidden."""
        return Text(resource.shown_text()) if resource.form.is_secretive else self.text(resource)

    def text(self, resource: Resource) -> Text:
        """A resource as it is stored; its text is made once."""
        known, text = self._texts.get(resource.key, (None, None))
        if text is None or known is not resource:
            text = Text(resource.text())
            self._texts[resource.key] = resource, text
        return text

    def new_id(self, kind: Kind, name: str) -> str:
        """An id that nobody has."""
        style, speaking = self.caller.ids, self.caller.account == OPERATOR
        return new_id(kind, name, style=style, speaking=speaking, taken=partial(self._is_taken, kind))

    def _is_taken(self, kind: Kind, id_: str) -> bool:
        key = kind, id_
        return key in self._made or key in self.state.resources

    @property
    def changes(self) -> tuple[ResourceChange, ...]:
        """What it all comes to."""
        if self._changes is None:
            self._changes = tuple(it for it in self._made.values() if it.before is None or it.before != it.after)
        return self._changes

    @property
    def revision(self) -> int:
        """The revision that it makes; the one that was there if it changes nothing."""
        return self.state.revision + bool(self.changes)


def not_found(authority: Authority, state: State, caller: Caller, kind: Kind, ref: str) -> NotFound:
    """The refusal of what is not there, or is somebody else's: both look alike. It hints at what the caller may see."""
    seen = (it for it in state.owned(caller.account, kind) if authority.may(caller, action_for(Verb.READ, it), it))
    known: Iterable[str] = (text for it in seen for text in (it.id, it.name) if text)
    what = f"there is no {kind.words} {ref!r}"
    return NotFound(what, nearest(ref, known), field="id", value=ref, kind=kind.value)
