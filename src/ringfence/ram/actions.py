"""Every operation of the service, by the names that policies may call it.

Each has a name as RAM of Alibaba Cloud has it and one as IAM of Huawei Cloud has it. An operation that one cloud lacks
is called ``ringfence:…`` there; what ECS has only in its console (clone, import, export) is under ``ecs:``. Huawei's
names of ACLs (version 3) and address groups are SEMANTICS.md 9.2's choice. Sources: SEMANTICS.md 9.1 and 9.2; the
lists of authorization items of both clouds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.ram.arn import (
    ACCOUNT,
    ACL,
    ACL_LINE,
    ACL_POLICY,
    ADDRESS_GROUP,
    AGENT,
    AUDIT,
    EXPECTATION,
    FIREWALL_POLICY,
    INSTANCE,
    METRICS,
    OUTSIDE_HOST,
    PEERING,
    PENALTY,
    POLICY,
    PORT,
    PORT_LIST,
    QUOTA,
    REVISION,
    SECURITY_GROUP,
    SETTINGS,
    SUBNET,
    USER,
    VIRTUAL_IP,
    VPC,
    ResourceType,
)


@dataclass(frozen=True, slots=True)
class Action:
    """One operation. ``resource`` is the type that it is judged on first; ``also`` are further names, of either cloud.

    >>> AUTHORIZE_SECURITY_GROUP.ram_names
    ('ecs:authorizesecuritygroup', 'ecs:configuresecuritygrouppermissions')
    """

    name: str
    ecs: str
    huawei: str
    resource: ResourceType
    also: tuple[str, ...] = ()
    ram_names: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """Names in policies of Version 1, in small letters: their case does not matter."""
    iam_names: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """Names in policies of Version 1.1, in small letters."""

    def __post_init__(self) -> None:
        names = [name.lower() for name in (self.ecs, self.huawei, *self.also)]
        object.__setattr__(self, "ram_names", tuple(name for name in names if name.count(":") == 1))
        object.__setattr__(self, "iam_names", tuple(name for name in names if name.count(":") == 2))

    def __str__(self) -> str:
        return self.name


RULE_CHANGES = "ecs:ConfigureSecurityGroupPermissions"
"""The umbrella over every change of rules, the ninth action of the policy in requirement document 002."""


def _action(name: str, service: str, huawei: str, resource: ResourceType, *also: str) -> Action:
    return Action(name, f"{service}:{name}", huawei, resource, also)


# Security groups
CREATE_SECURITY_GROUP = _action("CreateSecurityGroup", "ecs", "vpc:securityGroups:create", SECURITY_GROUP)
DESCRIBE_SECURITY_GROUPS = _action(
    "DescribeSecurityGroups", "ecs", "vpc:securityGroups:get", SECURITY_GROUP, "vpc:securityGroups:list"
)
DESCRIBE_SECURITY_GROUP_ATTRIBUTE = _action(
    "DescribeSecurityGroupAttribute", "ecs", "vpc:securityGroups:get", SECURITY_GROUP
)
DESCRIBE_SECURITY_GROUP_REFERENCES = _action(
    "DescribeSecurityGroupReferences", "ecs", "vpc:securityGroups:get", SECURITY_GROUP
)
MODIFY_SECURITY_GROUP_ATTRIBUTE = _action(
    "ModifySecurityGroupAttribute", "ecs", "vpc:securityGroups:update", SECURITY_GROUP
)
MODIFY_SECURITY_GROUP_POLICY = _action("ModifySecurityGroupPolicy", "ecs", "vpc:securityGroups:update", SECURITY_GROUP)
DELETE_SECURITY_GROUP = _action("DeleteSecurityGroup", "ecs", "vpc:securityGroups:delete", SECURITY_GROUP)
CLONE_SECURITY_GROUP = _action("CloneSecurityGroup", "ecs", "vpc:securityGroups:create", SECURITY_GROUP)

# Rules
AUTHORIZE_SECURITY_GROUP = _action(
    "AuthorizeSecurityGroup", "ecs", "vpc:securityGroupRules:create", SECURITY_GROUP, RULE_CHANGES
)
AUTHORIZE_SECURITY_GROUP_EGRESS = _action(
    "AuthorizeSecurityGroupEgress", "ecs", "vpc:securityGroupRules:create", SECURITY_GROUP, RULE_CHANGES
)
REVOKE_SECURITY_GROUP = _action(
    "RevokeSecurityGroup", "ecs", "vpc:securityGroupRules:delete", SECURITY_GROUP, RULE_CHANGES
)
REVOKE_SECURITY_GROUP_EGRESS = _action(
    "RevokeSecurityGroupEgress", "ecs", "vpc:securityGroupRules:delete", SECURITY_GROUP, RULE_CHANGES
)
MODIFY_SECURITY_GROUP_RULE = _action(
    "ModifySecurityGroupRule", "ecs", "vpc:securityGroupRules:update", SECURITY_GROUP, RULE_CHANGES
)
MODIFY_SECURITY_GROUP_EGRESS_RULE = _action(
    "ModifySecurityGroupEgressRule", "ecs", "vpc:securityGroupRules:update", SECURITY_GROUP, RULE_CHANGES
)
IMPORT_SECURITY_GROUP_RULES = _action(
    "ImportSecurityGroupRules", "ecs", "vpc:securityGroupRules:create", SECURITY_GROUP, RULE_CHANGES
)
DESCRIBE_SECURITY_GROUP_RULES = _action(
    "DescribeSecurityGroupRules",
    "ecs",
    "vpc:securityGroupRules:get",
    SECURITY_GROUP,
    "ecs:DescribeSecurityGroupAttribute",
    "vpc:securityGroupRules:list",
)
EXPORT_SECURITY_GROUP_RULES = _action(
    "ExportSecurityGroupRules",
    "ecs",
    "vpc:securityGroupRules:get",
    SECURITY_GROUP,
    "ecs:DescribeSecurityGroupAttribute",
)

# Membership: judged on the group and on the instance or port
JOIN_SECURITY_GROUP = _action("JoinSecurityGroup", "ecs", "vpc:ports:update", SECURITY_GROUP)
LEAVE_SECURITY_GROUP = _action("LeaveSecurityGroup", "ecs", "vpc:ports:update", SECURITY_GROUP)

# Instances and ports
RUN_INSTANCES = _action("RunInstances", "ecs", "ecs:cloudServers:create", INSTANCE, "ecs:CreateInstance")
DESCRIBE_INSTANCES = _action(
    "DescribeInstances",
    "ecs",
    "ecs:cloudServers:list",
    INSTANCE,
    "ecs:DescribeInstanceAttribute",
    "ecs:cloudServers:get",
)
MODIFY_INSTANCE_ATTRIBUTE = _action("ModifyInstanceAttribute", "ecs", "ecs:cloudServers:put", INSTANCE)
MODIFY_INSTANCE_VPC_ATTRIBUTE = _action("ModifyInstanceVpcAttribute", "ecs", "ecs:cloudServers:changeVpc", INSTANCE)
START_INSTANCE = _action("StartInstance", "ecs", "ecs:cloudServers:start", INSTANCE, "ecs:StartInstances")
STOP_INSTANCE = _action("StopInstance", "ecs", "ecs:cloudServers:stop", INSTANCE, "ecs:StopInstances")
REBOOT_INSTANCE = _action("RebootInstance", "ecs", "ecs:cloudServers:reboot", INSTANCE, "ecs:RebootInstances")
DELETE_INSTANCE = _action("DeleteInstance", "ecs", "ecs:cloudServers:delete", INSTANCE, "ecs:DeleteInstances")
# there are no links, so these come to a refusal; and one resource group
ATTACH_CLASSIC_LINK_VPC = _action("AttachClassicLinkVpc", "ecs", "ringfence:classicLinks:create", INSTANCE)
DETACH_CLASSIC_LINK_VPC = _action("DetachClassicLinkVpc", "ecs", "ringfence:classicLinks:delete", INSTANCE)
DESCRIBE_CLASSIC_LINK_INSTANCES = _action("DescribeClassicLinkInstances", "ecs", "ringfence:classicLinks:get", INSTANCE)
JOIN_RESOURCE_GROUP = _action("JoinResourceGroup", "ecs", "ringfence:resourceGroups:update", SECURITY_GROUP)
CREATE_NETWORK_INTERFACE = _action("CreateNetworkInterface", "ecs", "vpc:ports:create", PORT)
DESCRIBE_NETWORK_INTERFACES = _action(
    "DescribeNetworkInterfaces", "ecs", "vpc:ports:get", PORT, "ecs:DescribeNetworkInterfaceAttribute", "vpc:ports:list"
)
MODIFY_NETWORK_INTERFACE_ATTRIBUTE = _action("ModifyNetworkInterfaceAttribute", "ecs", "vpc:ports:update", PORT)
ASSIGN_PRIVATE_IP_ADDRESSES = _action(
    "AssignPrivateIpAddresses", "ecs", "vpc:ports:update", PORT, "ecs:AssignIpv6Addresses"
)
UNASSIGN_PRIVATE_IP_ADDRESSES = _action(
    "UnassignPrivateIpAddresses", "ecs", "vpc:ports:update", PORT, "ecs:UnassignIpv6Addresses"
)
DELETE_NETWORK_INTERFACE = _action("DeleteNetworkInterface", "ecs", "vpc:ports:delete", PORT)
# judged on the port and on the instance, or on the port that it hangs off
ATTACH_NETWORK_INTERFACE = _action("AttachNetworkInterface", "ecs", "ecs:cloudServerNics:update", PORT)
DETACH_NETWORK_INTERFACE = _action("DetachNetworkInterface", "ecs", "ecs:cloudServerNics:delete", PORT)

# Address groups and prefix lists
CREATE_PREFIX_LIST = _action("CreatePrefixList", "ecs", "vpc:addressGroups:create", ADDRESS_GROUP)
DESCRIBE_PREFIX_LISTS = _action(
    "DescribePrefixLists", "ecs", "vpc:addressGroups:get", ADDRESS_GROUP, "vpc:addressGroups:list"
)
DESCRIBE_PREFIX_LIST_ATTRIBUTES = _action("DescribePrefixListAttributes", "ecs", "vpc:addressGroups:get", ADDRESS_GROUP)
DESCRIBE_PREFIX_LIST_ASSOCIATIONS = _action(
    "DescribePrefixListAssociations", "ecs", "vpc:addressGroups:get", ADDRESS_GROUP
)
MODIFY_PREFIX_LIST = _action("ModifyPrefixList", "ecs", "vpc:addressGroups:update", ADDRESS_GROUP)
DELETE_PREFIX_LIST = _action("DeletePrefixList", "ecs", "vpc:addressGroups:delete", ADDRESS_GROUP)

# Port lists: Huawei Cloud has none
CREATE_PORT_RANGE_LIST = _action("CreatePortRangeList", "ecs", "ringfence:portLists:create", PORT_LIST)
DESCRIBE_PORT_RANGE_LISTS = _action(
    "DescribePortRangeLists", "ecs", "ringfence:portLists:get", PORT_LIST, "ringfence:portLists:list"
)
DESCRIBE_PORT_RANGE_LIST_ENTRIES = _action("DescribePortRangeListEntries", "ecs", "ringfence:portLists:get", PORT_LIST)
DESCRIBE_PORT_RANGE_LIST_ASSOCIATIONS = _action(
    "DescribePortRangeListAssociations", "ecs", "ringfence:portLists:get", PORT_LIST
)
MODIFY_PORT_RANGE_LIST = _action("ModifyPortRangeList", "ecs", "ringfence:portLists:update", PORT_LIST)
DELETE_PORT_RANGE_LIST = _action("DeletePortRangeList", "ecs", "ringfence:portLists:delete", PORT_LIST)

# VPCs and subnets
CREATE_VPC = _action("CreateVpc", "vpc", "vpc:vpcs:create", VPC)
DESCRIBE_VPCS = _action("DescribeVpcs", "vpc", "vpc:vpcs:get", VPC, "vpc:DescribeVpcAttribute", "vpc:vpcs:list")
MODIFY_VPC_ATTRIBUTE = _action("ModifyVpcAttribute", "vpc", "vpc:vpcs:update", VPC)
DELETE_VPC = _action("DeleteVpc", "vpc", "vpc:vpcs:delete", VPC)
CREATE_V_SWITCH = _action("CreateVSwitch", "vpc", "vpc:subnets:create", SUBNET)
DESCRIBE_V_SWITCHES = _action(
    "DescribeVSwitches", "vpc", "vpc:subnets:get", SUBNET, "vpc:DescribeVSwitchAttributes", "vpc:subnets:list"
)
MODIFY_V_SWITCH_ATTRIBUTE = _action("ModifyVSwitchAttribute", "vpc", "vpc:subnets:update", SUBNET)
DELETE_V_SWITCH = _action("DeleteVSwitch", "vpc", "vpc:subnets:delete", SUBNET)

# Network ACLs
CREATE_NETWORK_ACL = _action("CreateNetworkAcl", "vpc", "vpc:firewalls:create", ACL, "vpc:firewallGroups:create")
DESCRIBE_NETWORK_ACLS = _action(
    "DescribeNetworkAcls",
    "vpc",
    "vpc:firewalls:get",
    ACL,
    "vpc:DescribeNetworkAclAttributes",
    "vpc:firewalls:list",
    "vpc:firewallGroups:get",
    "vpc:firewallGroups:list",
)
MODIFY_NETWORK_ACL_ATTRIBUTES = _action(
    "ModifyNetworkAclAttributes", "vpc", "vpc:firewalls:update", ACL, "vpc:firewallGroups:update"
)
UPDATE_NETWORK_ACL_ENTRIES = _action(
    "UpdateNetworkAclEntries", "vpc", "vpc:firewalls:update", ACL, "vpc:firewallGroups:update"
)
COPY_NETWORK_ACL_ENTRIES = _action("CopyNetworkAclEntries", "vpc", "vpc:firewalls:update", ACL)
ASSOCIATE_NETWORK_ACL = _action("AssociateNetworkAcl", "vpc", "vpc:firewalls:update", ACL, "vpc:firewallGroups:update")
UNASSOCIATE_NETWORK_ACL = _action(
    "UnassociateNetworkAcl", "vpc", "vpc:firewalls:update", ACL, "vpc:firewallGroups:update"
)
DELETE_NETWORK_ACL = _action("DeleteNetworkAcl", "vpc", "vpc:firewalls:delete", ACL, "vpc:firewallGroups:delete")

# Rules and policies that ACLs are made of
CREATE_ACL_LINE = _action("CreateAclLine", "vpc", "vpc:firewallRules:create", ACL_LINE)
DESCRIBE_ACL_LINES = _action("DescribeAclLines", "vpc", "vpc:firewallRules:get", ACL_LINE, "vpc:firewallRules:list")
MODIFY_ACL_LINE = _action("ModifyAclLine", "vpc", "vpc:firewallRules:update", ACL_LINE)
DELETE_ACL_LINE = _action("DeleteAclLine", "vpc", "vpc:firewallRules:delete", ACL_LINE)
CREATE_ACL_POLICY = _action("CreateAclPolicy", "vpc", "vpc:firewallPolicies:create", ACL_POLICY)
DESCRIBE_ACL_POLICIES = _action(
    "DescribeAclPolicies", "vpc", "vpc:firewallPolicies:get", ACL_POLICY, "vpc:firewallPolicies:list"
)
MODIFY_ACL_POLICY = _action("ModifyAclPolicy", "vpc", "vpc:firewallPolicies:update", ACL_POLICY)
DELETE_ACL_POLICY = _action("DeleteAclPolicy", "vpc", "vpc:firewallPolicies:delete", ACL_POLICY)

# Peerings
CREATE_VPC_PEER_CONNECTION = _action("CreateVpcPeerConnection", "vpc", "vpc:peerings:create", PEERING)
DESCRIBE_VPC_PEER_CONNECTIONS = _action(
    "DescribeVpcPeerConnections", "vpc", "vpc:peerings:get", PEERING, "vpc:ListVpcPeerConnections", "vpc:peerings:list"
)
MODIFY_VPC_PEER_CONNECTION = _action("ModifyVpcPeerConnection", "vpc", "vpc:peerings:update", PEERING)
DELETE_VPC_PEER_CONNECTION = _action("DeleteVpcPeerConnection", "vpc", "vpc:peerings:delete", PEERING)

# Virtual IPs: who gives one to a port is judged on both
CREATE_HA_VIP = _action("CreateHaVip", "vpc", "vpc:privateIps:create", VIRTUAL_IP)
DESCRIBE_HA_VIPS = _action("DescribeHaVips", "vpc", "vpc:privateIps:get", VIRTUAL_IP, "vpc:privateIps:list")
MODIFY_HA_VIP_ATTRIBUTE = _action("ModifyHaVipAttribute", "vpc", "vpc:privateIps:update", VIRTUAL_IP)
ASSOCIATE_HA_VIP = _action("AssociateHaVip", "vpc", "vpc:privateIps:update", VIRTUAL_IP)
UNASSOCIATE_HA_VIP = _action("UnassociateHaVip", "vpc", "vpc:privateIps:update", VIRTUAL_IP)
DELETE_HA_VIP = _action("DeleteHaVip", "vpc", "vpc:privateIps:delete", VIRTUAL_IP)

# Firewalls at the border and between peers: seen with the VPC or the peering, and gone with it
CREATE_FIREWALL_POLICY = _action(
    "CreateFirewallPolicy", "ringfence", "ringfence:firewallPolicies:create", FIREWALL_POLICY
)
MODIFY_FIREWALL_POLICY = _action(
    "ModifyFirewallPolicy", "ringfence", "ringfence:firewallPolicies:update", FIREWALL_POLICY
)

# Penalties and blocks
CREATE_PENALTY = _action("CreatePenalty", "ringfence", "ringfence:penalties:create", PENALTY)
DESCRIBE_PENALTIES = _action(
    "DescribePenalties", "ringfence", "ringfence:penalties:get", PENALTY, "ringfence:penalties:list"
)
MODIFY_PENALTY = _action("ModifyPenalty", "ringfence", "ringfence:penalties:update", PENALTY)
DELETE_PENALTY = _action("DeletePenalty", "ringfence", "ringfence:penalties:delete", PENALTY)

# Hosts outside, for the lab
CREATE_OUTSIDE_HOST = _action("CreateOutsideHost", "ringfence", "ringfence:outsideHosts:create", OUTSIDE_HOST)
DESCRIBE_OUTSIDE_HOSTS = _action(
    "DescribeOutsideHosts", "ringfence", "ringfence:outsideHosts:get", OUTSIDE_HOST, "ringfence:outsideHosts:list"
)
MODIFY_OUTSIDE_HOST = _action("ModifyOutsideHost", "ringfence", "ringfence:outsideHosts:update", OUTSIDE_HOST)
DELETE_OUTSIDE_HOST = _action("DeleteOutsideHost", "ringfence", "ringfence:outsideHosts:delete", OUTSIDE_HOST)

# Expectations of the policy
CREATE_EXPECTATION = _action("CreateExpectation", "ringfence", "ringfence:expectations:create", EXPECTATION)
DESCRIBE_EXPECTATIONS = _action(
    "DescribeExpectations", "ringfence", "ringfence:expectations:get", EXPECTATION, "ringfence:expectations:list"
)
MODIFY_EXPECTATION = _action("ModifyExpectation", "ringfence", "ringfence:expectations:update", EXPECTATION)
DELETE_EXPECTATION = _action("DeleteExpectation", "ringfence", "ringfence:expectations:delete", EXPECTATION)

# Settings of the whole installation
DESCRIBE_SETTINGS = _action("DescribeSettings", "ringfence", "ringfence:settings:get", SETTINGS)
MODIFY_SETTINGS = _action("ModifySettings", "ringfence", "ringfence:settings:update", SETTINGS)

# Tags: judged on the resource that is tagged, whatever its type
TAG_RESOURCES = _action(
    "TagResources", "ecs", "ringfence:tags:create", SECURITY_GROUP, "ecs:AddTags", "vpc:TagResources"
)
UNTAG_RESOURCES = _action(
    "UntagResources",
    "ecs",
    "ringfence:tags:delete",
    SECURITY_GROUP,
    "ecs:RemoveTags",
    "vpc:UntagResources",
    "vpc:UnTagResources",
)
LIST_TAG_RESOURCES = _action(
    "ListTagResources", "ecs", "ringfence:tags:get", SECURITY_GROUP, "ecs:DescribeTags", "vpc:ListTagResources"
)

# Quotas
DESCRIBE_QUOTAS = _action(
    "DescribeQuotas", "ringfence", "vpc:quotas:list", QUOTA, "quotas:ListProductQuotas", "ecs:DescribeAccountAttributes"
)
MODIFY_QUOTA = _action("ModifyQuota", "ringfence", "ringfence:quotas:update", QUOTA)

# Accounts
CREATE_ACCOUNT = _action("CreateAccount", "ringfence", "ringfence:accounts:create", ACCOUNT)
DESCRIBE_ACCOUNTS = _action(
    "DescribeAccounts", "ringfence", "ringfence:accounts:get", ACCOUNT, "ringfence:accounts:list"
)
MODIFY_ACCOUNT = _action("ModifyAccount", "ringfence", "ringfence:accounts:update", ACCOUNT)
DELETE_ACCOUNT = _action("DeleteAccount", "ringfence", "ringfence:accounts:delete", ACCOUNT)

# Users and their keys
CREATE_USER = _action("CreateUser", "ram", "iam:users:createUser", USER)
LIST_USERS = _action("ListUsers", "ram", "iam:users:listUsers", USER, "ram:GetUser", "iam:users:getUser")
UPDATE_USER = _action("UpdateUser", "ram", "iam:users:updateUser", USER)
DELETE_USER = _action("DeleteUser", "ram", "iam:users:deleteUser", USER)
CREATE_ACCESS_KEY = _action("CreateAccessKey", "ram", "iam:credentials:createCredential", USER)
CREATE_TOKEN = _action("CreateToken", "ringfence", "ringfence:tokens:create", USER)
REVOKE_TOKEN = _action("RevokeToken", "ringfence", "ringfence:tokens:delete", USER)
GET_CALLER_IDENTITY = _action("GetCallerIdentity", "sts", "iam:users:getCaller", USER)
LIST_ACCESS_KEYS = _action(
    "ListAccessKeys", "ram", "iam:credentials:listCredentials", USER, "iam:credentials:getCredential"
)
UPDATE_ACCESS_KEY = _action("UpdateAccessKey", "ram", "iam:credentials:updateCredential", USER)
DELETE_ACCESS_KEY = _action("DeleteAccessKey", "ram", "iam:credentials:deleteCredential", USER)

# Policies: attaching is judged on the user and on the policy
CREATE_POLICY = _action("CreatePolicy", "ram", "iam:roles:createRole", POLICY)
LIST_POLICIES = _action("ListPolicies", "ram", "iam:roles:listRoles", POLICY, "ram:GetPolicy", "iam:roles:getRole")
UPDATE_POLICY = _action("UpdatePolicy", "ram", "iam:roles:updateRole", POLICY, "ram:CreatePolicyVersion")
DELETE_POLICY = _action("DeletePolicy", "ram", "iam:roles:deleteRole", POLICY)
ATTACH_POLICY_TO_USER = _action("AttachPolicyToUser", "ram", "iam:permissions:grantRoleToUser", USER)
DETACH_POLICY_FROM_USER = _action("DetachPolicyFromUser", "ram", "iam:permissions:revokeRoleFromUser", USER)

# What happened, what was planned, what is in force
LOOKUP_EVENTS = _action("LookupEvents", "actiontrail", "cts:trace:list", AUDIT)
DESCRIBE_REVISIONS = _action(
    "DescribeRevisions", "ringfence", "ringfence:revisions:get", REVISION, "ringfence:revisions:list"
)
WATCH_REVISIONS = _action("WatchRevisions", "ringfence", "ringfence:revisions:watch", REVISION)
PLAN_CHANGES = _action("PlanChanges", "ringfence", "ringfence:changes:plan", REVISION)
APPLY_CHANGES = _action("ApplyChanges", "ringfence", "ringfence:changes:apply", REVISION)
OVERRIDE_EXPECTATIONS = _action("OverrideExpectations", "ringfence", "ringfence:changes:override", REVISION)
CONFIRM_CHANGES = _action("ConfirmChanges", "ringfence", "ringfence:changes:confirm", REVISION)
DESCRIBE_REACHABILITY = _action("DescribeReachability", "ringfence", "ringfence:reachability:get", REVISION)
DESCRIBE_FINDINGS = _action("DescribeFindings", "ringfence", "ringfence:findings:get", REVISION)
DESCRIBE_ENFORCEMENT = _action("DescribeEnforcement", "ringfence", "ringfence:enforcement:get", AGENT)
REPORT_ENFORCEMENT = _action("ReportEnforcement", "ringfence", "ringfence:enforcement:report", AGENT)

# Operation
DESCRIBE_METRICS = _action("DescribeMetrics", "ringfence", "ringfence:metrics:get", METRICS)

ACTIONS: Mapping[str, Action] = {value.name: value for value in list(globals().values()) if isinstance(value, Action)}
"""Every operation by its name."""


def check_named(what: str, actions: Sequence[Action]) -> None:
    """Raise `ValueError` for an operation that names no action, or one not listed here: nobody could allow it."""
    unknown = [action for action in actions if ACTIONS.get(action.name) is not action]
    if unknown or not actions:
        raise ValueError(f"{what} names no action of RAM that allows it: {unknown}")
