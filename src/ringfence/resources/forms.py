"""The forms of all kinds."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.resources.acl_forms import ACL, ACL_LINE, ACL_POLICY
from ringfence.resources.form import Form
from ringfence.resources.group_forms import GROUP, RULE
from ringfence.resources.identity_forms import ACCESS_KEY, ACCOUNT, POLICY, QUOTA, USER
from ringfence.resources.kind import Kind
from ringfence.resources.list_forms import ADDRESS_GROUP, PORT_LIST
from ringfence.resources.machine_forms import EXPECTATION, INSTANCE, OUTSIDE_HOST, PENALTY, PORT, VIRTUAL_IP
from ringfence.resources.network_forms import PEERING, SUBNET, VPC
from ringfence.resources.profile_forms import SETTINGS

_WORLD = (
    *(VPC, SUBNET, GROUP, RULE, ADDRESS_GROUP, PORT_LIST, ACL, ACL_LINE, ACL_POLICY, PEERING),
    *(INSTANCE, PORT, VIRTUAL_IP, PENALTY, OUTSIDE_HOST, EXPECTATION, SETTINGS),
)
_IDENTITY = (ACCOUNT, USER, ACCESS_KEY, POLICY, QUOTA)

FORMS: Mapping[Kind, Form] = {form.kind: form for form in (*_WORLD, *_IDENTITY)}
"""The form of each kind."""

BY_PLURAL: Mapping[str, Form] = {form.plural: form for form in FORMS.values()}
"""The forms by their words in addresses."""
