"""The forms of all kinds."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.resources import identity_forms, network_forms
from ringfence.resources.form import Form
from ringfence.resources.kind import Kind

FORMS: Mapping[Kind, Form] = {form.kind: form for form in (*network_forms.FORMS, *identity_forms.FORMS)}
"""The form of each kind."""

BY_PLURAL: Mapping[str, Form] = {form.plural: form for form in FORMS.values()}
"""The forms by their words in addresses."""
