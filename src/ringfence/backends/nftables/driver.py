"""The driver of one VPC on this machine: plan in, one transaction out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ringfence.backends.nftables.generation import Generation
from ringfence.backends.nftables.hits import Hits, Tally
from ringfence.backends.nftables.holding import Holding
from ringfence.backends.nftables.library import Nft
from ringfence.backends.nftables.readback import Counter, Table, read_table
from ringfence.backends.nftables.render import render, render_change
from ringfence.backends.nftables.ruleset import STRANGE, Chain, Ruleset, difference, in_turn, skeleton, transactions
from ringfence.compile.plan import VpcChange, VpcPlan
from ringfence.model.connection import Connection


class Driver:
    """Keeps one table of one network namespace equal to a plan.

    It touches no other table, but that `audit` makes one of its own for a moment, and `hold` one for a while, both
    named after ours.

    It remembers what it enforced last, and reads the kernel back whenever somebody has changed nftables there since
    (the kernel's generation number tells): so after a restart, too.
    """

    def __init__(self, namespace: str, table: str, tally: Tally | None = None) -> None:
        """``tally`` keeps what rules have matched when the kernel forgets it; else this object does."""
        self._nft = Nft(namespace)
        self._generation = Generation(namespace)
        self._hits = Hits(namespace, table, tally)
        self._table = table
        self._holding = Holding(self._nft, table)
        self._remembered: tuple[int, Ruleset] | None = None

    def apply(self, plan: VpcPlan) -> int:
        """Enforce a plan and give back how many commands that took: 0 if it was in force already.

        One transaction switches from the old policy to the new; one before it may have put maps and chains in place
        that nothing refers to yet, and one after it takes away those that nothing refers to any more. Raises
        `KernelRefused`: then the old policy is still in force, or the new one with remains that the next apply clears.
        """
        self._beside(self._holding.release())
        wanted, (before, held) = render(plan), self._held()
        return self._run(transactions(self._table, held, wanted), before, wanted)

    def follow(self, change: VpcChange, whole: Callable[[], VpcPlan]) -> int:
        """Enforce a single change of the plan that is in force, at the cost of the change.

        ``whole`` makes the whole new plan, for the case that somebody else has changed nftables since (then it is
        `apply`). Returns and raises what `apply` does.
        """
        self._beside(self._holding.release())
        if self._remembered is None or self._remembered[0] != self._generation.now():
            return self.apply(whole())
        before, held = self._remembered
        rendered = render_change(change, held)
        if rendered is None:
            return self.apply(whole())
        self._remembered = None  # unless all goes well
        count = self._run(in_turn(self._table, rendered), before, held)
        held.follow(rendered)
        return count

    def _run(self, planned: list[list[str]], generation: int, wanted: Ruleset) -> int:
        """Run transactions, and remember what they lead to if nobody else has run any since ``generation``."""
        for commands in planned:
            with self._hits.across(commands):
                self._nft.run("\n".join([f"add table inet {self._table}", *commands]))
        alone = self._generation.now() == generation + len(planned)
        self._remembered = (generation + len(planned), wanted) if alone else None
        return sum(map(len, planned))

    def audit(self, plan: VpcPlan) -> list[str]:
        """What it would take to make the kernel equal to a plan, by what the kernel says of itself; empty if equal.

        Slow: it reads the whole table, and has the kernel tell what every rule would be if it were written now.
        """
        self._beside(self._holding.release())
        generation, wanted = self._generation.now(), render(plan)
        table = read_table(self._nft, self._table)
        if table is None or table.ruleset is STRANGE:
            return difference(self._table, table.ruleset if table else Ruleset(), wanted)
        held = self._doubted(table, wanted)
        self._remembered = (generation + 2, held)  # the two transactions of `_as_written`
        return difference(self._table, held, wanted)

    def _doubted(self, table: Table, wanted: Ruleset) -> Ruleset:
        """What a table holds, without the chains whose rules have the right comments and say something else."""
        written = self._as_written(wanted)
        chains = {
            name: chain if table.expressions[name] == written.expressions.get(name) else Chain((), chain.hook)
            for name, chain in table.ruleset.chains.items()
        }
        return replace(table.ruleset, chains=chains)

    def _as_written(self, wanted: Ruleset) -> Table:
        """How the kernel tells the rules of a ruleset: from a table in which they hang on no hook."""
        scratch = f"{self._table}-audit"
        # An audit that was killed may have left one: it is made anew.
        fresh = [f"add table inet {scratch}", f"delete table inet {scratch}", f"add table inet {scratch}"]
        self._nft.run("\n".join([*fresh, *difference(scratch, Ruleset(), skeleton(wanted))]))
        try:
            written = read_table(self._nft, scratch)
        finally:
            self._nft.run(f"delete table inet {scratch}")
        assert written is not None
        return written

    def hold(self, keys: Mapping[Connection, int]) -> None:
        """Let nothing of some connections pass for so many seconds each: see `Holding`. Raises `KernelRefused`."""
        if keys:
            self._beside(self._holding.holding(keys))

    def _beside(self, commands: str) -> None:
        """Run a transaction in another table than ours; what we remember of ours stays true if nobody else ran one."""
        if not commands:
            return
        before, remembered = self._generation.now(), self._remembered
        self._nft.run(commands)
        if remembered and remembered[0] == before and self._generation.now() == before + 1:
            self._remembered = (before + 1, remembered[1])

    def _held(self) -> tuple[int, Ruleset]:
        """The kernel's generation, and what the table holds in it.

        What is read here is not remembered before it was made what is wanted: nothing could follow on no table.
        """
        generation = self._generation.now()
        if self._remembered and self._remembered[0] == generation:
            return self._remembered
        table = read_table(self._nft, self._table)
        return generation, table.ruleset if table else Ruleset()

    def counters(self) -> Mapping[str, Counter]:
        """Hits by rule id, and by the id of a default or intra-group decision: see `Hits.read`."""
        return self._hits.read()

    def remove(self) -> None:
        """Take the table away; nothing judges packets then, so forwarding should be off."""
        self._nft.run(f"add table inet {self._table}\ndelete table inet {self._table}\n{self._holding.removal()}")

    def close(self) -> None:
        """Give back the library's context and the socket; the policy stays in force."""
        self._nft.close()
        self._hits.close()
        self._generation.close()
