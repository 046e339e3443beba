"""The two languages of policies, as data: which elements, names, operators and keys each one has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from ringfence.errors import NotationError
from ringfence.ram.actions import Action
from ringfence.ram.arn import Arn, acs_expression, huawei_expression
from ringfence.ram.keys import ALIBABA_KEYS, ALIBABA_TAGS, HUAWEI_KEYS, HUAWEI_TAGS, Key
from ringfence.ram.operators import ALIBABA_OPERATORS, HUAWEI_OPERATORS, Operator
from ringfence.ram.wildcard import expression


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One language of policies.

    ``names`` gives an action's names in it and ``resource_name`` a resource's; ``resource`` makes the expression of a
    pattern of resources and raises `NotationError`.
    """

    version: str
    elements: tuple[str, ...]
    action_form: re.Pattern[str]
    action_right: str
    names: Callable[[Action], tuple[str, ...]]
    resource: Callable[[str], str]
    resource_name: Callable[[Arn], str]
    resource_needed: bool
    operators: Mapping[str, Operator]
    keys: Mapping[str, str]
    tags: tuple[str, ...]

    def action(self, pattern: str) -> str:
        """The expression of a pattern of actions, whose case does not matter; raises `NotationError`."""
        if not self.action_form.fullmatch(pattern):
            raise NotationError(f"{pattern!r} is not an action", self.action_right)
        return expression(pattern.lower())  # the form and the names have as many colons: no wildcard can cross one

    def key(self, text: str) -> Key:
        """The condition key of that name; raises `NotationError`."""
        return Key.find(text, self.keys, self.tags)


ALIBABA = Dialect(
    version="1",
    elements=("Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"),
    action_form=re.compile(r"\*|[\w*?-]+:[\w*?.-]+", re.ASCII),
    action_right="write <service>:<operation> like ecs:AuthorizeSecurityGroup or ecs:Describe*, or * for every action",
    names=attrgetter("ram_names"),
    resource=acs_expression,
    resource_name=attrgetter("acs"),
    resource_needed=True,
    operators=ALIBABA_OPERATORS,
    keys=ALIBABA_KEYS,
    tags=ALIBABA_TAGS,
)
"""RAM of Alibaba Cloud, Version 1."""

HUAWEI = Dialect(
    version="1.1",
    elements=("Effect", "Action", "Resource", "Condition"),
    action_form=re.compile(r"\*|[\w*?-]+:[\w*?-]+:[\w*?-]+", re.ASCII),
    action_right="write <service>:<type>:<operation> like vpc:securityGroups:create, or * for every action",
    names=attrgetter("iam_names"),
    resource=huawei_expression,
    resource_name=attrgetter("huawei"),
    resource_needed=False,
    operators=HUAWEI_OPERATORS,
    keys=HUAWEI_KEYS,
    tags=HUAWEI_TAGS,
)
"""IAM of Huawei Cloud, Version 1.1."""

DIALECTS: Mapping[str, Dialect] = {dialect.version: dialect for dialect in (ALIBABA, HUAWEI)}
"""Each by the ``Version`` of its policies."""
