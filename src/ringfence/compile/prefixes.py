"""Address groups as prefixes: a backend can look one up by its length and its network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ringfence.compile.plan import Entries
from ringfence.model.address import AddressRange, Family, Prefix


def prefixes_of(entry: AddressRange) -> Iterator[Prefix]:
    """The fewest prefixes that make up a range: from its start on, always the longest block that fits."""
    first = entry.first
    while first <= entry.last:
        size = min(first & -first or 1 << entry.family.bits, 1 << (entry.last - first + 1).bit_length() - 1)
        yield Prefix(entry.family, first, entry.family.bits - size.bit_length() + 1)
        first += size


class PrefixGroup:
    """The prefixes of one address group, each counted as often as entries make it up."""

    def __init__(self, entries: Iterable[AddressRange]) -> None:
        self._counts = Counter(prefix for entry in entries for prefix in prefixes_of(entry))
        self._lengths = Counter((prefix.family, prefix.length) for prefix in self._counts)

    def change(self, added: Iterable[AddressRange], removed: Iterable[AddressRange]) -> Entries:
        """Let entries come and go; gives the prefixes that are new, and those that are no more."""
        delta = Counter(prefix for entry in added for prefix in prefixes_of(entry))
        delta.subtract(prefix for entry in removed for prefix in prefixes_of(entry))
        come, gone = [], []
        for prefix, count in delta.items():
            before = self._counts[prefix]
            after = self._counts[prefix] = before + count
            if not before and after:
                come.append(prefix)
            if not after:
                del self._counts[prefix]
                if before:
                    gone.append(prefix)
        self._lengths.update((prefix.family, prefix.length) for prefix in come)
        self._lengths.subtract((prefix.family, prefix.length) for prefix in gone)
        return Entries(tuple(sorted(gone)), tuple(sorted(come)))

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """The prefixes, each once, in ascending order."""
        return tuple(sorted(self._counts))

    def lengths_of(self, family: Family) -> tuple[int, ...]:
        """The lengths of its prefixes of one family, longest first."""
        return tuple(sorted((length for it, length in self.lengths if it == family), reverse=True))

    @property
    def lengths(self) -> frozenset[tuple[int, int]]:
        """Family and length of its prefixes."""
        return frozenset(key for key, count in self._lengths.items() if count)
