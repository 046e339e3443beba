"""Which action allows what to be done with a resource, and by what name policies know the resource."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from ringfence.model.rule import Direction
from ringfence.ram import actions as ram
from ringfence.ram import arn
from ringfence.ram.actions import Action
from ringfence.ram.arn import ResourceType
from ringfence.resources.kind import LIKE_A_WORLD_FILE, Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.resources.values import AccessKey, RuleOf


class Verb(Enum):
    """What is done with a resource."""

    CREATE = auto()
    READ = auto()
    UPDATE = auto()
    DELETE = auto()


Four = tuple[Action, Action, Action, Action]

_RULES_IN: Four = (
    ram.AUTHORIZE_SECURITY_GROUP,
    ram.DESCRIBE_SECURITY_GROUP_RULES,
    ram.MODIFY_SECURITY_GROUP_RULE,
    ram.REVOKE_SECURITY_GROUP,
)
_RULES_OUT: Four = (
    ram.AUTHORIZE_SECURITY_GROUP_EGRESS,
    ram.DESCRIBE_SECURITY_GROUP_RULES,
    ram.MODIFY_SECURITY_GROUP_EGRESS_RULE,
    ram.REVOKE_SECURITY_GROUP_EGRESS,
)
_ACTIONS: Mapping[Kind, Four] = {
    Kind.VPC: (ram.CREATE_VPC, ram.DESCRIBE_VPCS, ram.MODIFY_VPC_ATTRIBUTE, ram.DELETE_VPC),
    Kind.SUBNET: (
        ram.CREATE_V_SWITCH,
        ram.DESCRIBE_V_SWITCHES,
        ram.MODIFY_V_SWITCH_ATTRIBUTE,
        ram.DELETE_V_SWITCH,
    ),
    Kind.GROUP: (
        ram.CREATE_SECURITY_GROUP,
        ram.DESCRIBE_SECURITY_GROUPS,
        ram.MODIFY_SECURITY_GROUP_ATTRIBUTE,
        ram.DELETE_SECURITY_GROUP,
    ),
    Kind.RULE: _RULES_IN,
    Kind.ADDRESS_GROUP: (
        ram.CREATE_PREFIX_LIST,
        ram.DESCRIBE_PREFIX_LISTS,
        ram.MODIFY_PREFIX_LIST,
        ram.DELETE_PREFIX_LIST,
    ),
    Kind.PORT_LIST: (
        ram.CREATE_PORT_RANGE_LIST,
        ram.DESCRIBE_PORT_RANGE_LISTS,
        ram.MODIFY_PORT_RANGE_LIST,
        ram.DELETE_PORT_RANGE_LIST,
    ),
    Kind.ACL: (
        ram.CREATE_NETWORK_ACL,
        ram.DESCRIBE_NETWORK_ACLS,
        ram.MODIFY_NETWORK_ACL_ATTRIBUTES,
        ram.DELETE_NETWORK_ACL,
    ),
    Kind.ACL_LINE: (ram.CREATE_ACL_LINE, ram.DESCRIBE_ACL_LINES, ram.MODIFY_ACL_LINE, ram.DELETE_ACL_LINE),
    Kind.ACL_POLICY: (
        ram.CREATE_ACL_POLICY,
        ram.DESCRIBE_ACL_POLICIES,
        ram.MODIFY_ACL_POLICY,
        ram.DELETE_ACL_POLICY,
    ),
    Kind.PEERING: (
        ram.CREATE_VPC_PEER_CONNECTION,
        ram.DESCRIBE_VPC_PEER_CONNECTIONS,
        ram.MODIFY_VPC_PEER_CONNECTION,
        ram.DELETE_VPC_PEER_CONNECTION,
    ),
    Kind.INSTANCE: (
        ram.RUN_INSTANCES,
        ram.DESCRIBE_INSTANCES,
        ram.MODIFY_INSTANCE_ATTRIBUTE,
        ram.DELETE_INSTANCE,
    ),
    Kind.PORT: (
        ram.CREATE_NETWORK_INTERFACE,
        ram.DESCRIBE_NETWORK_INTERFACES,
        ram.MODIFY_NETWORK_INTERFACE_ATTRIBUTE,
        ram.DELETE_NETWORK_INTERFACE,
    ),
    Kind.VIRTUAL_IP: (ram.CREATE_HA_VIP, ram.DESCRIBE_HA_VIPS, ram.MODIFY_HA_VIP_ATTRIBUTE, ram.DELETE_HA_VIP),
    Kind.PENALTY: (ram.CREATE_PENALTY, ram.DESCRIBE_PENALTIES, ram.MODIFY_PENALTY, ram.DELETE_PENALTY),
    Kind.OUTSIDE_HOST: (
        ram.CREATE_OUTSIDE_HOST,
        ram.DESCRIBE_OUTSIDE_HOSTS,
        ram.MODIFY_OUTSIDE_HOST,
        ram.DELETE_OUTSIDE_HOST,
    ),
    Kind.EXPECTATION: (
        ram.CREATE_EXPECTATION,
        ram.DESCRIBE_EXPECTATIONS,
        ram.MODIFY_EXPECTATION,
        ram.DELETE_EXPECTATION,
    ),
    Kind.SETTINGS: (ram.MODIFY_SETTINGS, ram.DESCRIBE_SETTINGS, ram.MODIFY_SETTINGS, ram.MODIFY_SETTINGS),
    Kind.ACCOUNT: (ram.CREATE_ACCOUNT, ram.DESCRIBE_ACCOUNTS, ram.MODIFY_ACCOUNT, ram.DELETE_ACCOUNT),
    Kind.USER: (ram.CREATE_USER, ram.LIST_USERS, ram.UPDATE_USER, ram.DELETE_USER),
    Kind.ACCESS_KEY: (ram.CREATE_ACCESS_KEY, ram.LIST_ACCESS_KEYS, ram.UPDATE_ACCESS_KEY, ram.DELETE_ACCESS_KEY),
    Kind.POLICY: (ram.CREATE_POLICY, ram.LIST_POLICIES, ram.UPDATE_POLICY, ram.DELETE_POLICY),
    Kind.QUOTA: (ram.MODIFY_QUOTA, ram.DESCRIBE_QUOTAS, ram.MODIFY_QUOTA, ram.MODIFY_QUOTA),
}
_TYPES: Mapping[Kind, ResourceType] = {
    Kind.VPC: arn.VPC,
    Kind.SUBNET: arn.SUBNET,
    Kind.GROUP: arn.SECURITY_GROUP,
    Kind.RULE: arn.SECURITY_GROUP,
    Kind.ADDRESS_GROUP: arn.ADDRESS_GROUP,
    Kind.PORT_LIST: arn.PORT_LIST,
    Kind.ACL: arn.ACL,
    Kind.ACL_LINE: arn.ACL_LINE,
    Kind.ACL_POLICY: arn.ACL_POLICY,
    Kind.PEERING: arn.PEERING,
    Kind.INSTANCE: arn.INSTANCE,
    Kind.PORT: arn.PORT,
    Kind.VIRTUAL_IP: arn.VIRTUAL_IP,
    Kind.PENALTY: arn.PENALTY,
    Kind.OUTSIDE_HOST: arn.OUTSIDE_HOST,
    Kind.EXPECTATION: arn.EXPECTATION,
    Kind.SETTINGS: arn.SETTINGS,
    Kind.ACCOUNT: arn.ACCOUNT,
    Kind.USER: arn.USER,
    Kind.ACCESS_KEY: arn.USER,
    Kind.POLICY: arn.POLICY,
    Kind.QUOTA: arn.QUOTA,
}

OPERATORS_ONLY = frozenset({Kind.ACCOUNT, Kind.QUOTA, Kind.SETTINGS, Kind.PENALTY})
"""Kinds that only an operator may make, change and delete, whatever policies say."""


def action_of(verb: Verb, kind: Kind) -> Action:
    """What allows something to be done with resources of a kind; of rules, with those of one direction."""
    return _ACTIONS[kind][verb.value - 1]


def action_for(verb: Verb, resource: Resource) -> Action:
    """What allows something to be done with a resource."""
    value = resource.value
    if isinstance(value, RuleOf) and value.rule.direction is Direction.EGRESS:
        return _RULES_OUT[verb.value - 1]
    return action_of(verb, resource.kind)


def type_of(kind: Kind) -> ResourceType:
    """The type of resource that policies know a kind by: a rule is of its group, a key of its user."""
    return _TYPES[kind]


def judged_as(resource: Resource) -> Key:
    """What policies know a resource as: a rule as its group, an access key as its user (``*`` for the account's)."""
    value = resource.value
    if isinstance(value, RuleOf):
        return Key(Kind.GROUP, value.group)
    if isinstance(value, AccessKey):
        return Key(Kind.USER, value.user or "*")
    return resource.key


_EITHER_WAY = (ram.AUTHORIZE_SECURITY_GROUP, ram.AUTHORIZE_SECURITY_GROUP_EGRESS)
_EITHER_WAY_BACK = (ram.REVOKE_SECURITY_GROUP, ram.REVOKE_SECURITY_GROUP_EGRESS)
_MORE: Mapping[tuple[Verb, Kind], tuple[Action, ...]] = {
    (Verb.CREATE, Kind.VPC): (ram.CREATE_FIREWALL_POLICY,),
    (Verb.UPDATE, Kind.VPC): (ram.MODIFY_FIREWALL_POLICY,),
    (Verb.CREATE, Kind.PEERING): (ram.CREATE_FIREWALL_POLICY,),
    (Verb.UPDATE, Kind.PEERING): (ram.MODIFY_FIREWALL_POLICY,),
    (Verb.CREATE, Kind.GROUP): _EITHER_WAY,
    (Verb.UPDATE, Kind.GROUP): (ram.MODIFY_SECURITY_GROUP_POLICY,),
    (Verb.DELETE, Kind.GROUP): _EITHER_WAY_BACK,
    (Verb.CREATE, Kind.RULE): (ram.AUTHORIZE_SECURITY_GROUP_EGRESS,),
    (Verb.UPDATE, Kind.RULE): (ram.MODIFY_SECURITY_GROUP_EGRESS_RULE,),
    (Verb.DELETE, Kind.RULE): (ram.REVOKE_SECURITY_GROUP_EGRESS,),
    (Verb.DELETE, Kind.ADDRESS_GROUP): (
        *(*_EITHER_WAY_BACK, ram.UPDATE_NETWORK_ACL_ENTRIES),
        *(ram.DELETE_ACL_LINE, ram.MODIFY_ACL_POLICY),
    ),
    (Verb.DELETE, Kind.PORT_LIST): _EITHER_WAY_BACK,
    (Verb.UPDATE, Kind.ACL_LINE): (ram.UPDATE_NETWORK_ACL_ENTRIES,),
    (Verb.CREATE, Kind.ACL_POLICY): (ram.UPDATE_NETWORK_ACL_ENTRIES,),
    (Verb.UPDATE, Kind.ACL_POLICY): (ram.UPDATE_NETWORK_ACL_ENTRIES,),
    (Verb.CREATE, Kind.INSTANCE): (
        *(ram.CREATE_NETWORK_INTERFACE, ram.JOIN_SECURITY_GROUP, ram.CREATE_SECURITY_GROUP),
        *_EITHER_WAY,
    ),
    (Verb.DELETE, Kind.INSTANCE): (ram.DELETE_NETWORK_INTERFACE,),
    (Verb.CREATE, Kind.PORT): (ram.JOIN_SECURITY_GROUP, ram.ATTACH_NETWORK_INTERFACE),
    (Verb.UPDATE, Kind.PORT): (ram.JOIN_SECURITY_GROUP, ram.LEAVE_SECURITY_GROUP),
    (Verb.CREATE, Kind.VIRTUAL_IP): (ram.ASSOCIATE_HA_VIP,),
    (Verb.UPDATE, Kind.VIRTUAL_IP): (ram.ASSOCIATE_HA_VIP, ram.UNASSOCIATE_HA_VIP),
    (Verb.CREATE, Kind.SUBNET): (ram.ASSOCIATE_NETWORK_ACL,),
    (Verb.UPDATE, Kind.SUBNET): (ram.ASSOCIATE_NETWORK_ACL, ram.UNASSOCIATE_NETWORK_ACL),
    (Verb.CREATE, Kind.USER): (ram.ATTACH_POLICY_TO_USER,),
    (Verb.UPDATE, Kind.USER): (ram.ATTACH_POLICY_TO_USER, ram.DETACH_POLICY_FROM_USER),
}
"""What may be asked for besides, as what comes along with it is judged by itself."""


def _of_all(*verbs: Verb) -> tuple[Action, ...]:
    found = (action for kind in LIKE_A_WORLD_FILE for verb in verbs for action in actions_of(verb, kind))
    return tuple(dict.fromkeys(found))


def actions_of(verb: Verb, kind: Kind) -> tuple[Action, ...]:
    """Every action that may be asked for when something is done with a resource of a kind, the main one first."""
    tags = (ram.TAG_RESOURCES, ram.UNTAG_RESOURCES) if verb is Verb.UPDATE else ()
    return (action_of(verb, kind), *_MORE.get((verb, kind), ()), *tags)


READING = _of_all(Verb.READ)
"""What it takes to look at everything that a world file can say, as far as it is there."""
CHANGING = (
    *_of_all(Verb.CREATE, Verb.UPDATE, Verb.DELETE),
    *(ram.ATTACH_NETWORK_INTERFACE, ram.DETACH_NETWORK_INTERFACE, ram.MODIFY_INSTANCE_VPC_ATTRIBUTE),
    *(ram.START_INSTANCE, ram.STOP_INSTANCE),
)
"""What it takes to change all of that."""
