"""A whole service on a real SQLite store, without HTTP: for operations that are called as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ringfence import worldfile
from ringfence.control import basic
from ringfence.control.authority import OPERATOR
from ringfence.control.caller import Caller
from ringfence.control.control import Control
from ringfence.control.declaring import Applied, apply
from ringfence.control.exporting import in_order, own_acl, own_group, own_vpc, world_of
from ringfence.control.identity import Identities
from ringfence.model.acl import AclRule
from ringfence.model.world import World, by_name
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.security.keyring import Keyring
from ringfence.security.keys import AccessKey
from ringfence.store.store import Store


@dataclass
class Desk:
    """The service, and who uses it."""

    data: Path
    store: Store = field(init=False)
    control: Control = field(init=False)
    identities: Identities = field(init=False)
    root: AccessKey = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store.open(f"sqlite:///{self.data / 'ringfence.db'}")
        self.control = Control(self.store)
        self.identities = Identities(self.control, Keyring.load(self.data / "secret.key"))
        made = self.identities.bootstrap()
        assert made, "the store is not new"
        self.root = made

    def caller(self, account: str = OPERATOR, **more: object) -> Caller:
        """The account itself; the operator acts on tenants where ``operator`` says so."""
        known: dict[str, object] = {"operator": account == OPERATOR, "home": account, "request_id": "test"}
        return Caller(account, **(known | more))  # type: ignore[arg-type]

    def make(self, caller: Caller, kind: Kind, **said: object) -> Resource:
        """Make a resource."""
        with self.control.change(caller, f"Create {kind}") as draft:
            return basic.create(draft, kind, said)

    def update(self, caller: Caller, kind: Kind, ref: str, **said: object) -> None:
        """Change a resource."""
        with self.control.change(caller, f"Update {kind}") as draft:
            basic.update(draft, kind, ref, said)

    def tenant(self, name: str) -> Caller:
        """A new account."""
        return self.caller(self.make(self.caller(), Kind.ACCOUNT, name=name).id)

    def apply(
        self, caller: Caller, wanted: World | str, *, override: str = "a test", confirm: int | None = None
    ) -> Applied:
        """Apply a world, or a file's text."""
        world = worldfile.parse(wanted, "test") if isinstance(wanted, str) else wanted
        with self.control.change(caller, "ApplyChanges") as draft:
            return apply(draft, world, override=override, confirm=confirm)

    def export(self, caller: Caller) -> World:
        """The account's world."""
        return world_of(self.control.state, caller.account)


def said(world: World, account: str = "") -> World:
    """What a world says once it is in the service: in order, and without the ids that its file gives to rules."""
    return bare(
        World(
            world.profile,
            by_name(map(own_vpc, world.vpcs.values())),
            world.address_groups,
            by_name(own_group(group, account) for group in world.groups.values()),
            world.instances,
            world.outside,
            world.expects,
            by_name(map(own_acl, world.acls.values())),
            world.peerings,
            world.virtual_ips,
            world.penalties,
            world.port_lists,
        )
    )


def bare(world: World) -> World:
    """A world in order, whose lines of ACLs and firewalls have no ids: those of two that say the same are the service's
    own.
    """
    return in_order(
        replace(
            world,
            vpcs=by_name(replace(it, border=_plain(it.border)) for it in world.vpcs.values()),
            acls=by_name(replace(it, rules=_plain(it.rules)) for it in world.acls.values()),
            peerings=by_name(replace(it, firewall=_plain(it.firewall)) for it in world.peerings.values()),
        )
    )


def _plain(lines: Iterable[AclRule]) -> tuple[AclRule, ...]:
    return tuple(replace(line, given_id="") for line in lines)
