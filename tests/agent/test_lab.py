"""The lab as a fabric: wires come and go with the world, and edits of policy go past them."""

from __future__ import annotations

import pytest

from ringfence.agent.audit import audit
from ringfence.agent.enforcer import Enforcer
from ringfence.agent.fabric import LabFabric
from ringfence.lab.lab import Lab
from ringfence.lab.probe import Observation
from ringfence.model.address import Family
from ringfence.model.edit import PortChanged, PortGone
from tests.agent.places import edits_between
from tests.lab.test_rewiring import BASE, W, turned
from tests.lab.worlds import flow, world

pytestmark = pytest.mark.packets

MORE = turned(more=W)
EDITED = MORE.replace("half: [in allow udp 53 from any", "half: [in allow udp 54 from any")


def asked(lab: Lab, text: str, family: Family = Family.IPV4) -> Observation:
    (found,) = lab.probe([flow(lab.world, text, family)])
    return found


def test_an_instance_comes_a_rule_changes_and_it_goes(lab_name: str) -> None:
    with Lab.up(world(BASE), lab_name) as lab:
        enforcer = Enforcer(LabFabric(lab))
        assert enforcer.enforce(world(BASE)).commands == 0
        came = enforcer.enforce(world(MORE))
        assert (came.ok, came.whole) == (True, True)
        assert asked(lab, "z -> w udp/53").arrived
        assert asked(lab, "x -> y udp/53", Family.IPV6).arrived

        edited = enforcer.enforce(world(EDITED), edits_between(world(MORE), world(EDITED)))
        assert (edited.ok, edited.whole, sorted(edited.vpcs)) == (True, False, ["a", "b"])
        assert not asked(lab, "z -> w udp/53").arrived
        assert not asked(lab, "x -> y udp/53", Family.IPV6).arrived
        assert asked(lab, "x -> y udp/54", Family.IPV6).arrived
        assert audit(enforcer) == []
        _agrees(lab_name, EDITED)

        port = world(EDITED).port_by_name["w.eth0"]
        gone = enforcer.enforce(world(EDITED.replace(W, "")), [PortGone(str(port))])
        assert (gone.ok, gone.whole) == (True, False)
        _agrees(lab_name, EDITED.replace(W, ""))
        back = enforcer.enforce(world(EDITED), [PortChanged(port)])
        assert (back.ok, back.whole) == (True, False)
        assert asked(lab, "z -> w udp/54").arrived
        _agrees(lab_name, EDITED)
        enforcer.close()


def _agrees(name: str, text: str) -> None:
    """Who takes hold of the lab sees that world, and packets do what it says."""
    other = Lab.attach(name)
    assert other.world == world(text)
    assert other.verify().ok
    other.close()


def test_edits_of_a_world_that_is_no_more_are_not_followed(lab_name: str) -> None:
    """Somebody else has changed the lab since."""
    with Lab.up(world(BASE), lab_name) as lab:
        enforcer = Enforcer(LabFabric(lab))
        enforcer.enforce(world(BASE))
        other = Lab.attach(lab_name)
        other.enforce(world(MORE))
        other.close()
        after = BASE.replace("half: [in allow udp 53", "half: [in allow udp 54")
        done = enforcer.enforce(world(after), edits_between(world(BASE), world(after)))
        assert (done.ok, done.whole) == (True, True)
        assert audit(enforcer) == []
        _agrees(lab_name, after)
        enforcer.close()
