"""Commands for resources of every kind: ``ringfence group list``. What differs between kinds is in their forms."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

import typer

from ringfence.cli import attaching, fields, lines, members, penalties, quotas, rules, showing
from ringfence.cli.asking import Asked, command
from ringfence.cli.completing import completer
from ringfence.cli.lazily import word_of
from ringfence.client.paths import at
from ringfence.errors import InvalidInput
from ringfence.resources.filters import FILTERS
from ringfence.resources.form import Form
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind

Given = dict[str, Any]
_MORE: Mapping[Kind, Callable[[typer.Typer], None]] = {
    Kind.RULE: rules.register,
    Kind.GROUP: members.register,
    Kind.QUOTA: quotas.register,
    Kind.PORT: attaching.register_ports,
    Kind.INSTANCE: attaching.register_instances,
    Kind.ADDRESS_GROUP: lines.register_entries,
    Kind.PENALTY: penalties.register,
    **{kind: partial(lines.register, kind=kind) for kind in lines.LISTS},
}
"""Commands of single kinds, besides those of all."""
_EXAMPLES: Mapping[Kind, tuple[str, ...]] = {
    Kind.VPC: ("create shop --cidrs 10.0.0.0/16 --profile alibaba",),
    Kind.SUBNET: ("create web --vpc shop --cidr 10.0.1.0/24", "set web --acl edge"),
    Kind.GROUP: ("create sg-web --vpc shop --template default", "join sg-web web-1", "members sg-web"),
    Kind.RULE: ('add sg-web "in allow tcp 80 from any" --wait', "list --group sg-web", "remove sg-web sgr-…"),
    Kind.ADDRESS_GROUP: (
        "create offices --entries 203.0.113.0/24 --entries 198.51.100.7",
        "add-entry offices 192.0.2.0/24",
    ),
    Kind.PORT_LIST: ("create web-ports --entries 80 --entries 8000-8100",),
    Kind.ACL: (
        'create edge --rules "in deny tcp 22 from any to any" --vpc shop',
        'add-line edge "in allow tcp 22 from 203.0.113.9 to any" --before 1',
    ),
    Kind.ACL_LINE: ('create http --rule "allow tcp 80 from any to any"',),
    Kind.ACL_POLICY: ("create web --rules http --ingress-of edge",),
    Kind.PEERING: ("create shop-and-bank --vpcs shop --vpcs bank",),
    Kind.INSTANCE: (
        'create web-1 --ports "subnet=web groups=sg-web" --serve tcp/80',
        "stop web-1",
        "move web-1 db --group sg-db",
    ),
    Kind.PORT: (
        "list --instance web-1",
        "set web-1.eth0 --groups sg-web --groups sg-admin",
        "create --subnet web --groups sg-web",
        "attach eni-… web-1",
        "assign web-1.eth0 --count 2",
    ),
    Kind.VIRTUAL_IP: ("create front --subnet web --addresses 10.0.1.100 --ports web-1.eth0 --ports web-2.eth0",),
    Kind.PENALTY: ("create --instance web-1 --reason mining", "lift web-1"),
    Kind.OUTSIDE_HOST: ("create laptop --addresses 198.51.100.20",),
    Kind.EXPECTATION: ('create --expect "web-1 -> db-1 tcp/3306 allow"',),
    Kind.SETTINGS: ("show settings", "set settings --profile alibaba"),
    Kind.ACCOUNT: ("create shop", "list"),
    Kind.USER: ("create alice --policies read-only", "set alice --no-enabled"),
    Kind.ACCESS_KEY: ("create --user alice", "set LTAI… --no-enabled"),
    Kind.POLICY: ("create read-only --document @policy.json",),
    Kind.QUOTA: ("create --target shop --limits max_groups=20", "usage"),
}
_NAMED = frozenset(FORMS) - {Kind.RULE, Kind.ACCESS_KEY, Kind.SETTINGS}
"""Kinds whose resources are called something by those who make them."""


def app_of(kind: Kind) -> typer.Typer:
    """The commands for a kind."""
    word, form = word_of(kind), FORMS[kind]
    examples = "\n".join(f"  ringfence {word} {example}" for example in _EXAMPLES[kind])
    app = typer.Typer(name=word, help=f"{kind.doc}\n\n\b\nExamples:\n{examples}", rich_markup_mode=None)

    @app.callback(no_args_is_help=True)
    def _group() -> None:
        """Hold the commands."""

    _add_reading(app, form)
    _add_changing(app, form)
    if more := _MORE.get(kind):
        more(app)
    return app


def _one(kind: Kind, ref: str) -> str:
    return at(FORMS[kind].plural, ref)


def _add_reading(app: typer.Typer, form: Form) -> None:
    kind = form.kind
    by = [each for each in form.open_fields if each.name in FILTERS.get(kind, ())]

    def list_(asked: Asked, **given: Any) -> None:
        query = {each.name: _first(given[each.name]) for each in by}
        query |= {"as_of": given["as_of"], "name": given["name"] or None, "tag": given["tag"] or None}
        with asked.working("reading"):
            items = list(asked.client.pages(at(form.plural), query))
        asked.show_json({"items": items}) if asked.json else showing.show_items(kind, items)

    def show(asked: Asked, *, ref: str, as_of: int | None) -> None:
        item = asked.client.get(_one(kind, ref), {"as_of": as_of})
        asked.show_json(item) if asked.json else showing.show_item(item)

    filters = fields.options_of(by, new=False)
    command(app, "list", list_, own=[*filters, *_LISTING, _AS_OF], doc=f"List each {kind.words}.")
    command(app, "show", show, own=[_ref(kind), _AS_OF], doc=f"Show one {kind.words}, by id or name.")


def _first(value: Any) -> Any:
    return (value or [None])[0] if isinstance(value, list) else value


def _add_changing(app: typer.Typer, form: Form) -> None:
    kind, words = form.kind, form.kind.words
    new, old = fields.asked_fields(form, new=True), fields.asked_fields(form, new=False)

    def create(asked: Asked, **given: Any) -> None:
        body = _common(given) | fields.said(new, given)
        answer = asked.change(lambda: asked.client.post(at(form.plural), body, asked.query))
        asked.tell(answer, f"{words} {answer['item']['id']!r} made")
        if not asked.json and "secret" in answer:
            showing.show_secret(answer)

    def set_(asked: Asked, *, ref: str, **given: Any) -> None:
        body = _common(given) | fields.said(old, given)
        if not body:
            raise InvalidInput(f"nothing to change is said; see ringfence {word_of(kind)} set --help")
        answer = asked.change(lambda: asked.client.patch(_one(kind, ref), body, asked.query))
        asked.tell(answer, f"{words} {answer['item']['id']!r} changed")

    def delete(asked: Asked, *, ref: str, force: bool = False) -> None:
        query = asked.query | ({"force": True} if force else {})
        answer = asked.change(lambda: asked.client.delete(_one(kind, ref), query=query))
        asked.tell(answer, f"{words} {answer['item']['id']!r} deleted")

    called = [_CALLED] if kind in _NAMED else []
    made = [*called, *fields.options_of(new, new=True), *_COMMON]
    command(app, "create", create, own=made, changes=True, doc=f"Make {_a(words)}.")
    changed = [_ref(kind), *fields.options_of(old, new=False), *_COMMON]
    command(app, "set", set_, own=changed, changes=True, doc=f"Change {_a(words)}; what is not said stays.")
    forced = [_FORCE] if kind in (Kind.ADDRESS_GROUP, Kind.PORT_LIST) else []
    command(app, "delete", delete, own=[_ref(kind), *forced], changes=True, doc=f"Delete {_a(words)}.")


def _a(words: str) -> str:
    """Words with their article: "an instance", "a user"."""
    return f"{'an' if words[0] in 'aeioA' else 'a'} {words}"


def _common(given: Given) -> Given:
    """What is said of any resource; takes it out of what was given."""
    said: Given = {}
    called, name = given.pop("called", None), given.pop("name", None)
    if called and name and called != name:
        raise InvalidInput(f"two names are given, {called!r} and {name!r}; give one")
    if name is not None or called:
        said["name"] = called or name
    for key in ("description", "protected"):
        if (value := given.pop(key, None)) is not None:
            said[key] = value
    if tags := given.pop("tag", None):
        said["tags"] = fields.tags_said(tags)
    return said


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _ref(kind: Kind) -> inspect.Parameter:
    argument = typer.Argument(metavar="REF", help="Its id or name.", autocompletion=completer(kind))
    return _parameter("ref", Annotated[str, argument], inspect.Parameter.empty)


_CALLED = _parameter("called", Annotated[str | None, typer.Argument(metavar="NAME", help="What to call it.")], None)
_AS_OF = _parameter(
    "as_of", Annotated[int | None, typer.Option("--as-of", metavar="N", help="As it was at a revision.")], None
)
_FORCE = _parameter("force", Annotated[bool, typer.Option("--force", help="With the rules that name it.")], False)
_LISTING = (
    _parameter(
        "name", Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Only those of this name.")], None
    ),
    _parameter(
        "tag", Annotated[str | None, typer.Option("--tag", metavar="KEY[=VALUE]", help="Only those with a tag.")], None
    ),
)
_COMMON = (
    _parameter("name", Annotated[str | None, typer.Option("--name", metavar="TEXT", help="What to call it.")], None),
    _parameter(
        "description",
        Annotated[str | None, typer.Option("--description", metavar="TEXT", help="Words for people.")],
        None,
    ),
    _parameter(
        "tag",
        Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="All its tags (repeatable).")],
        None,
    ),
    _parameter(
        "protected",
        Annotated[bool | None, typer.Option("--protected/--no-protected", help="Whether it may not be deleted.")],
        None,
    ),
)
