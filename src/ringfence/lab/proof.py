"""What the model says of a flow next to what its packets did: whether the first arrives, and whether it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.analysis.why.diagnosis import Diagnosis
from ringfence.lab.probe import Observation
from ringfence.model.rule import Direction
from ringfence.model.service import UDP


@dataclass(frozen=True, slots=True)
class Proof:
    """A diagnosis and what was seen of a conversation on its flow."""

    diagnosis: Diagnosis
    seen: Observation

    @property
    def agrees(self) -> bool | None:
        """Whether model and packets say the same; None where the packets prove nothing, see `remark`."""
        if self.seen.failure:
            return None
        verdict = self.diagnosis.verdict
        if self.seen.arrived is not verdict.arrives:
            return None if self.sender_stops_it else False
        return self._answer_agrees if verdict.arrives else True

    @property
    def _answer_agrees(self) -> bool | None:
        """The same of the answer. One that does not come may be a guest's doing."""
        allowed, answered = self.diagnosis.verdict.allowed, self.seen.answered
        if answered is None or answered is allowed:
            return True
        return None if allowed and self._guest_may_be_silent else False

    @property
    def sender_stops_it(self) -> bool:
        """Whether the packet does not leave its own guest: that it does not arrive is no evidence, and needs none."""
        return any(it.guest.direction is Direction.EGRESS for it in self.diagnosis.in_guests)

    @property
    def _guest_may_be_silent(self) -> bool:
        guests = self.diagnosis.guests or ()
        return self.seen.flow.service.number == UDP or any(guest.filtered for guest in guests)

    @property
    def remark(self) -> str:
        """Why it proves nothing, or whether they agree, in words."""
        if self.agrees is not None:
            return "they agree" if self.agrees else "they DIFFER"
        if self.seen.failure:
            return f"it proves nothing: {self.seen.failure}"
        if not self.seen.arrived:
            return "the sender's guest stops the packet itself: it says nothing of the network"
        return "no answer came, and the guest may be silent by itself: it says nothing of the network"

    @property
    def words(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Model and packet: whether the first packet arrives, and whether an answer comes back."""
        verdict, seen = self.diagnosis.verdict, self.seen
        answer = "comes back" if verdict.allowed else "is dropped" if verdict.arrives else "-"
        came = {None: "-", True: "came back", False: "did not come"}[seen.answered if seen.arrived else None]
        arrived = "no evidence" if seen.failure else "arrived" if seen.arrived else "did not arrive"
        return ("arrives" if verdict.arrives else "does not arrive", answer), (arrived, came)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        verdict, seen = self.diagnosis.verdict, self.seen
        return {
            "arrives": {"model": verdict.arrives, "packet": None if seen.failure else seen.arrived},
            "answered": {"model": verdict.allowed, "packet": seen.answered},
            "words": dict(zip(("model", "packet"), self.words, strict=True)),
            "agree": self.agrees,
            "remark": self.remark,
        }
