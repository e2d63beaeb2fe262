"""In which order the aliases of a file are made, so that each leads to what is there. Pure.

A source that leads to another of the file comes after it, and the row mailbox -> mailbox,
which keeps a mailbox its own mail, before the mailbox's others. Where the file has a circle
there is no such order: its rows come last, as far as possible after what they lead to.
"""

from array import array
from collections.abc import Iterable


class Ranks:
    """Learns the aliases of a file one by one; addresses are only remembered by a number."""

    def __init__(self) -> None:
        self._sources = array("q")
        self._destinations = array("q")

    def add(self, source: str, destination: str) -> None:
        """The next alias of the file."""
        self._sources.append(hash(source))
        self._destinations.append(hash(destination))

    def of_rows(self) -> dict[int, int]:
        """The rank of each alias, by its number in the file from 0; those of rank 0 left out."""
        pairs = list(zip(self._sources, self._destinations, strict=True))
        there = set(self._sources)
        copies = {source for source, destination in pairs if source == destination}
        needs: dict[int, set[int]] = {}
        for source, destination in pairs:
            if destination in there and destination != source:
                needs.setdefault(source, set()).add(destination)
        levels = {source: 1 if source in copies else 0 for source in there - needs.keys()}
        _raise(levels, needs, copies)
        ranks: dict[int, int] = {}
        circular = []
        for number, (source, destination) in enumerate(pairs):
            if source == destination:
                continue
            if source not in levels:
                circular.append(number)
            elif levels[source]:
                ranks[number] = levels[source]
        self._add_circular(ranks, circular, levels, there)
        return ranks

    def _add_circular(
        self,
        ranks: dict[int, int],
        numbers: list[int],
        levels: dict[int, int],
        there: set[int],
    ) -> None:
        rank = max(levels.values(), default=0) + 1
        settled = set(levels)
        while numbers:
            next_ones = [
                number
                for number in numbers
                if self._destinations[number] not in there or self._destinations[number] in settled
            ] or numbers
            ranks.update(dict.fromkeys(next_ones, rank))
            settled.update(self._sources[number] for number in next_ones)
            taken = set(next_ones)
            numbers = [number for number in numbers if number not in taken]
            rank += 1


def _raise(levels: dict[int, int], needs: dict[int, set[int]], copies: Iterable[int]) -> None:
    """Add the levels of sources that lead to sources, as soon as all of those have one."""
    leading: dict[int, list[int]] = {}
    open_needs = {source: len(needed) for source, needed in needs.items()}
    for source, needed in needs.items():
        for destination in needed:
            leading.setdefault(destination, []).append(source)
    ready = [source for source in leading if source in levels]
    kept = set(copies)
    while ready:
        done = ready.pop()
        for source in leading.get(done, ()):
            open_needs[source] -= 1
            if not open_needs[source]:
                level = 1 + max(levels[each] for each in needs[source])
                levels[source] = max(level, 1 if source in kept else 0)
                ready.append(source)
