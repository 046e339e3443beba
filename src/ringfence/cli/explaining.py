"""The command ``why``: what becomes of a flow and why, asked of a world file, a lab or a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ringfence.analysis.why.asking import Question, is_several
from ringfence.analysis.why.diagnosis import diagnose, diagnosed
from ringfence.analysis.why.telling import explain, explain_several
from ringfence.cli import output
from ringfence.cli.asking import Account, Asked, Json, Server, asking
from ringfence.cli.choosing import DEFAULT_LAB, Where, where
from ringfence.cli.questions import END, AsOf, Over, check_place, command_line, service_asked
from ringfence.client.paths import at
from ringfence.errors import Forbidden, InvalidInput, ProbeFailed
from ringfence.model.address import Family
from ringfence.model.flow import Flow
from ringfence.model.service import ICMPV6, Service
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy
from ringfence.worldfile import parse, read

if TYPE_CHECKING:  # what only few questions need is not loaded for the others
    from ringfence.analysis.why.several import Answer
    from ringfence.lab.lab import Lab
    from ringfence.lab.proof import Proof

_EXAMPLES = """Examples:
  ringfence why laptop web-1 tcp/443 -f shop.yaml
  ringfence why internet sg-db tcp/3306 -f shop.yaml
  ringfence why web-1 db-1 tcp/3306 --probe --bundle ticket.tar.gz"""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it is told, the exit code that it means, and what proves nothing, if anything does.

    ``world`` and ``flows`` are what was judged, where that is known; ``next`` is what to ask then, for people;
    ``evidence`` is what else goes into a bundle.
    """

    told: Mapping[str, Any]
    code: int
    world: World | None = None
    flows: tuple[Flow, ...] = ()
    unproved: str = ""
    next: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The answer for people."""
        return explain_several(self.told) if "outcomes" in self.told else explain(self.told)

    def show(self, *, as_json: bool) -> None:
        """Print it and leave with its code; raises `ProbeFailed` if a packet proves nothing."""
        if as_json:
            output.print_json(self.told)
        else:
            print(f"{self.text}\n\n{self.next}" if self.next else self.text)
        if self.unproved:
            raise ProbeFailed(self.unproved)
        raise typer.Exit(self.code)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(help=f"{cleandoc(why.__doc__ or '')}\n\n\b\n{_EXAMPLES}")(why)


def why(
    source: Annotated[str, typer.Argument(metavar="SRC", help=END)],
    destination: Annotated[str, typer.Argument(metavar="DST", help="The same.")],
    service: Annotated[str, typer.Argument(metavar="PROTO[/PORT]", help="tcp/443, udp/53, icmp, gre, 132, …")],
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Ask the model about a world file.")] = None,
    over: Annotated[Over | None, typer.Option(help="The address family; else IPv4 where both ends have it.")] = None,
    from_port: Annotated[int | None, typer.Option(help="The port that it comes from.", min=1, max=65535)] = None,
    probe: Annotated[bool, typer.Option("--probe", help="Send the packet too, in the lab that is up.")] = False,
    lab: Annotated[str | None, typer.Option("--lab", help="Ask the lab of this name.")] = None,
    as_of: AsOf = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", metavar="FILE", help="Write a ticket: a .tar.gz.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also where FILE is there already.")] = False,
    server: Server = "",
    account: Account = "",
    json: Json = False,
) -> None:
    """Say what becomes of a flow, and why.

    The verdict and its cause, everything that denies the flow and the rules that come nearest to allowing it, then the
    whole path: each stage, the rule that decided, and those that came too late. Of ends that are many (a group, the
    internet) it says which pass and which do not.

    It is asked of the world file (-f) or the lab (--lab, --probe) that is named; else of the server, where one is known
    (--server, RINGFENCE_SERVER, a login); else of the usual lab. Of a lab it says also what the guests at both ends do:
    whether anything listens there, and whether a firewall of the guest's own drops the packet. Exit code 0 if the flow
    works, 1 if it does not (or if model and packet differ).

    Last comes what to change where a flow is denied: the smallest fix, the commands that make it, what it opens, and
    how many others are as small; `ringfence fix` tells them all.

    With --bundle all that a ticket needs is in one file: question, answer, the part of the world that it is about, of a
    lab what its kernel holds of the flow, versions. Secrets are taken out.
    """
    question = question_of(source, destination, service_asked(service), over, from_port)
    if probe and server:
        raise InvalidInput("--probe sends the packet in a lab, and a server has none; leave out --server")
    check_place(None if probe else file, server, lab, as_of)
    place = Where() if file and not probe else Where(lab=lab or DEFAULT_LAB) if probe or file else where(server, lab)
    if bundle:
        from ringfence.cli.bundling import check_free

        check_free(bundle, overwrite=overwrite)
    if place.server:
        asked_of = f"server {place.server}"
        with asking(place.server, account, {}, json=json) as asked:
            answered = _of_server(asked, question, as_of, bundled=bundle is not None)
    elif place.lab:
        asked_of = f"lab {place.lab}"
        answered = _of_lab(place.lab, file, question, probe=probe, bundled=bundle is not None)
    else:
        assert file
        asked_of = f"world file {file.name}"
        answered = _with_fix(_of_file(read(file), question))
    places = Place(file, place.lab if lab or probe else "", server, account, as_of)
    if bundle:
        nowhere = replace(places, file=file and Path(file.name))
        _write(bundle, question, asked_of, nowhere.told(answered, question), overwrite=overwrite)
    places.told(answered, question).show(as_json=json)


@dataclass(frozen=True, slots=True)
class Place:
    """Where it was said that a question is asked: the options that another command is to have too."""

    file: Path | None
    lab: str
    server: str
    account: str
    as_of: int | None

    def told(self, answered: Answered, question: Question) -> Answered:
        """An answer with the command that shows all fixes, of many outcomes those of the first that is denied."""
        if fix := answered.told.get("fix"):
            fix = {**fix, "shown_by": self._fixing(_asked(question))}
            return replace(answered, told={**answered.told, "fix": fix})
        denied = (it["example"] for it in answered.told.get("outcomes", ()) if it["example"]["verdict"] == "deny")
        if flow := next(denied, None):
            return replace(
                answered, next=f"What to change, for one of those denied:\n    $ {self._fixing(_words(flow))}"
            )
        return answered

    def _fixing(self, words: Sequence[str]) -> str:
        lab, server = ("", "") if self.file else (self.lab, self.server)
        options = {"-f": self.file, "--lab": lab, "--server": server, "--account": self.account, "--as-of": self.as_of}
        return command_line("fix", words, options)


def _asked(question: Question) -> list[str]:
    """A question as the words of a command."""
    over = ["--over", str(question.family)] if question.family else []
    port = ["--from-port", str(question.source_port)] if question.source_port else []
    return [question.source, question.destination, str(question.service), *over, *port]


def _words(told: Mapping[str, Any]) -> list[str]:
    """A flow as the words of a command."""
    over = ["--over", "ipv6"] if ":" in told["destination"]["address"] else []
    port = ["--from-port", str(told["source_port"])] if told["source_port"] else []
    return [told["source"]["name"], told["destination"]["name"], told["service"], *over, *port]


def _write(path: Path, question: Question, asked_of: str, answered: Answered, *, overwrite: bool) -> None:
    from ringfence.analysis.why.part import part_of
    from ringfence.cli import bundling

    files = bundling.contents(question, asked_of, answered.text, answered.told) | {**answered.evidence}
    part = part_of(answered.world, answered.flows) if answered.world else None
    bundling.write(path, files, part, overwrite=overwrite)


def question_of(
    source: str, destination: str, service: Service, over: Over | None, from_port: int | None = None
) -> Question:
    """The question that words and options mean; raises `InvalidInput`."""
    if service.number == ICMPV6 and over is Over.IPV4:
        raise InvalidInput("icmpv6 exists on ipv6 only; leave out --over ipv4, or ask for icmp")
    family = {Over.IPV4: Family.IPV4, Over.IPV6: Family.IPV6}[over] if over else None
    return Question(source, destination, service, family, from_port)


def _is_of_several(world: World, question: Question) -> bool:
    return any(is_several(world, name) for name in (question.source, question.destination))


def _of_file(world: World, question: Question) -> Answered:
    policy = Policy(world)
    if _is_of_several(world, question):
        return _of_answer(world, _answer(policy, question))
    diagnosis = diagnosed(policy, question.flow(world))
    return Answered(diagnosis.as_json(), 0 if diagnosis.works else 1, world, (diagnosis.verdict.flow,))


def _with_fix(answered: Answered) -> Answered:
    """The same with the smallest fix, of one flow; not with what is said to listen, where somebody looked."""
    if "outcomes" in answered.told or not answered.world:
        return answered
    from ringfence.analysis.fix.brief import Brief

    (flow,) = answered.flows
    brief = Brief.of(answered.world, flow)
    brief = brief.without_silence() if "guests" in answered.told else brief
    return replace(answered, told={**answered.told, **brief.as_json()})


def _answer(policy: Policy, question: Question) -> Answer:
    from ringfence.analysis.why.several import Several

    return Several(policy.world, lambda flow: diagnosed(policy, flow)).answer(question)


def _of_answer(world: World, answer: Answer) -> Answered:
    flows = tuple(outcome.example.verdict.flow for outcome in answer.outcomes)
    return Answered(answer.as_json(), 0 if answer.works else 1, world, flows)


def query_of(question: Question) -> dict[str, str | int | None]:
    """A question as a server takes it."""
    return {
        "source": question.source,
        "destination": question.destination,
        "service": str(question.service),
        "over": str(question.family) if question.family else None,
        "from_port": question.source_port,
    }


def _of_server(asked: Asked, question: Question, as_of: int | None, *, bundled: bool) -> Answered:
    query = {**query_of(question), "as_of": as_of, "fix": "true"}
    told = cast("dict[str, Any]", asked.client.get(at("why"), query))
    answered = Answered(told, 0 if told["works"] else 1)
    return _with_world(asked, question, as_of, answered) if bundled else answered


def _with_world(asked: Asked, question: Question, as_of: int | None, answered: Answered) -> Answered:
    """The same with the account's world as the server tells it; without, where the caller may not see that."""
    try:
        text = asked.client.get_bytes(at("world"), {"format": "yaml", "as_of": as_of}).decode()
    except Forbidden as error:
        return replace(answered, evidence={"notes.txt": f"the part of the world is missing: {error}\n"})
    of_file = _of_file(parse(text, "the server's world"), question)
    return replace(answered, world=of_file.world, flows=of_file.flows)


def _of_lab(name: str, file: Path | None, question: Question, *, probe: bool, bundled: bool) -> Answered:
    from ringfence.lab.evidence import kernel_state
    from ringfence.lab.lab import Lab

    with closing(Lab.attach(name)) as lab:
        if file and read(file) != lab.world:
            again = f"ringfence up --replace {file} --lab {name}"
            raise InvalidInput(f"lab {name!r} runs another world than {file}; run {again}, or leave out -f")
        several = _is_of_several(lab.world, question)
        answered = _with_fix((_of_several_in_lab if several else _of_one_in_lab)(lab, question, probe=probe))
        return replace(answered, evidence=kernel_state(lab, answered.flows)) if bundled else answered


def _of_one_in_lab(lab: Lab, question: Question, *, probe: bool) -> Answered:
    from ringfence.cli.outcomes import packet
    from ringfence.lab.guest import look, look_and_probe
    from ringfence.lab.proof import Proof

    world = lab.world
    flow = question.flow(world)
    seen, guests = look_and_probe(lab, flow) if probe else (None, look(lab, flow))
    diagnosis = diagnose(world, flow, guests)
    told = diagnosis.as_json()
    if seen is None:
        return Answered(told, 0 if diagnosis.works else 1, world, (flow,))
    proof = Proof(diagnosis, seen)
    told |= {"packet": packet(seen), "unproved": seen.failure or None, "proof": proof.as_json()}
    unproved = "" if proof.sender_stops_it or not seen.failure else f"{flow}: {seen.failure}"
    return Answered(told, 0 if diagnosis.works and proof.agrees is not False else 1, world, (flow,), unproved)


def _of_several_in_lab(lab: Lab, question: Question, *, probe: bool) -> Answered:
    """The model's answer; with a probe, one of each outcome's example."""
    from ringfence.lab.proof import Proof

    world = lab.world
    answer = _answer(Policy(world), question)
    answered = _of_answer(world, answer)
    if not probe:
        return answered
    seen = lab.converse(answered.flows)
    proofs = [Proof(outcome.example, each) for outcome, each in zip(answer.outcomes, seen, strict=True)]
    pairs = zip(answered.told["outcomes"], proofs, strict=True)
    told = {**answered.told, "outcomes": [_proved(outcome, proof) for outcome, proof in pairs]}
    differ = any(proof.agrees is False for proof in proofs)
    return replace(answered, told=told, code=0 if answer.works and not differ else 1)


def _proved(outcome: Mapping[str, Any], proof: Proof) -> dict[str, Any]:
    return {**outcome, "example": {**outcome["example"], "proof": proof.as_json()}}
