"""Buckets: bodies of one topology, which one model can hold and a device can train together; and who waits for that."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path

from embodied.evolution.ledger import Birth
from embodied.runs.files import write_atomically

SIZES = (2, 4, 8, 16)
"""Of buckets, at least, that shares are told for."""
FOLDER, MEMBERS = "buckets", "members.json"
"""Within a run: a folder for each bucket that is being lived, and in it the numbers of its lifetimes."""


def shares(topologies: Sequence[Hashable]) -> dict[int, float]:
    """Part of some bodies that share their topology with so many of them, themselves included, for `SIZES`."""
    counts = Counter(topologies)
    return {
        size: sum(number for number in counts.values() if number >= size) / max(len(topologies), 1) for size in SIZES
    }


class Waiting:
    """Who is born and not yet alive: buckets for a device, single bodies for CPU workers."""

    def __init__(self, least: int, most: int, singles: bool, topology: Callable[[Birth], Hashable]) -> None:
        """Nobody waits yet.

        Args:
            least: bodies of a bucket, unless they were taken from those who wait for the CPU.
            most: bodies of a bucket.
            singles: whether there are CPU workers at all; otherwise every body is in a bucket, alone if need be.
            topology: of a birth's body; bodies of one value go into one bucket. None for one that has to live alone.
        """
        self._least, self._most = least if singles else 1, most
        self._topology = topology
        self.buckets: list[list[Birth]] = []
        self.singles: list[Birth] = []

    def __len__(self) -> int:
        """Bodies that wait."""
        return len(self.singles) + sum(len(bucket) for bucket in self.buckets)

    def add(self, births: Iterable[Birth]) -> None:
        """Sorts those who were born together into buckets and single bodies."""
        alike: dict[Hashable, list[Birth]] = {}
        for birth in births:
            topology = self._topology(birth)
            alike.setdefault((birth.id,) if topology is None else topology, []).append(birth)
        for group in alike.values():
            parts = -(-len(group) // self._most)
            for part in range(parts):  # as equal as can be: a bucket takes a device as long as a smaller one
                self.put_back(group[part::parts])

    def put_back(self, group: list[Birth]) -> None:
        """A bucket, or too few for one."""
        if len(group) >= self._least:
            self.buckets.append(group)
        else:
            self.singles += group

    def bucket(self) -> list[Birth]:
        """For a device: the largest bucket, of equals the one whose first was born first; empty where none waits.

        What goes first must not depend on when the buckets were put together: a run that is resumed does that anew.
        """
        if not self.buckets:
            return []
        return self.buckets.pop(self._number(max(len(bucket) for bucket in self.buckets)))

    def single(self) -> list[Birth]:
        """For a CPU worker: the body that waits longest; empty where none waits for one."""
        return [self.singles.pop(0)] if self.singles else []

    def single_as_bucket(self) -> list[Birth]:
        """For a device that would else be idle: a body that waits for the CPU, the one that would wait longest."""
        return [self.singles.pop()] if self.singles else []

    def single_of_bucket(self) -> list[Birth]:
        """For a CPU worker that would else be idle: one of the smallest bucket; too few that are left are none."""
        if not self.buckets:
            return []
        one, *rest = self.buckets.pop(self._number(min(len(bucket) for bucket in self.buckets)))
        if rest:
            self.put_back(rest)
        return [one]

    def _number(self, size: int) -> int:
        """Of the bucket of that size whose first member was born first."""
        alike = [number for number, bucket in enumerate(self.buckets) if len(bucket) == size]
        return min(alike, key=lambda number: self.buckets[number][0].id)


def folder_of(run: Path, bucket: Sequence[Birth]) -> Path:
    """Of a bucket, named after its first member."""
    return run / FOLDER / f"{bucket[0].id:06d}"


def note(run: Path, bucket: Sequence[Birth]) -> Path:
    """Writes down who is in a bucket, before it begins to live; returns its folder."""
    folder = folder_of(run, bucket)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / MEMBERS, json.dumps([birth.id for birth in bucket]))
    return folder


def interrupted_buckets(run: Path, births: Sequence[Birth]) -> list[list[Birth]]:
    """The buckets among lifetimes that were running when a run was stopped, all of whose members were."""
    running = {birth.id: birth for birth in births}
    found = []
    for path in sorted(run.glob(f"{FOLDER}/*/{MEMBERS}")):
        try:
            members = json.loads(path.read_text())
        except ValueError:
            continue
        if isinstance(members, list) and members and all(member in running for member in members):
            found.append([running.pop(member) for member in members])
    return found
