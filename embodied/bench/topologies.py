"""How many bodies bred together share a topology: an evolution of real mutations and a made-up fitness, in seconds.

No physics and no learning: what is asked is how often a GPU finds bodies that it can train together, before any time
is spent on training them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from embodied.bench.setting import Bench, Measure
from embodied.evolution.breeding import Breeding
from embodied.evolution.buckets import SIZES, shares
from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.search import make_search
from embodied.evolution.toolbox import Individual, make_fitness, make_toolbox
from embodied.runs.progress import Progress
from embodied.runs.seeds import stream
from morphologies import SPLAYED, UNIMAL, Limb, from_json


@dataclass(frozen=True)
class Heredity:
    """How the worth of a child comes from its parent's. Initial bodies' worths are standard normal."""

    step: float = 0.3
    """Standard deviation of the difference."""
    drift: float = -0.1
    """Its mean: most mutations do harm."""
    error: float = 0.5
    """Standard deviation of fitness about the worth: one training differs from the next."""
    heritable: bool = True
    """Otherwise fitness is drawn anew for each body, and nothing is selected for."""


@dataclass(frozen=True)
class Rehearsal(Bench):
    """An evolution that is only bred."""

    lifetimes: int = 4000
    """In all. DERL."""
    population: int = 576
    """Initial bodies, and the number of recent ones that parents come from. DERL."""
    tournament: int = 4
    """Bodies drawn of which the best is a parent. DERL."""
    batch: int = 128
    """Bodies bred at a time."""
    brood: int = 1
    """See `EvolveConfig.brood`."""
    padded: bool = False
    """Whether topologies are told as if every limb had as many hinges as the others, some of them held fast."""
    seed: int = 0
    """Of everything random."""
    heredity: Heredity = Heredity()
    """Of fitness."""


@dataclass(frozen=True)
class Bred:
    """What came of it."""

    batches: list[list[str]]
    """Topologies of the initial population, and then of each batch."""
    worth: float
    """Mean over the living at the end, in standard deviations of the initial bodies' above their mean."""
    living_topologies: int
    """Different ones among them."""


def rehearse(rehearsal: Rehearsal) -> Bred:
    """Breeds it."""
    config = EvolveConfig(
        lifetimes=rehearsal.lifetimes,
        population=rehearsal.population,
        tournament=rehearsal.tournament,
        batch=rehearsal.batch,
        brood=rehearsal.brood,
        seed=rehearsal.seed,
    )
    space = SPLAYED if config.space == "splayed" else UNIMAL
    toolbox: Any = make_toolbox(config.tournament, space)
    search = make_search(config, toolbox)
    breeding = Breeding(config, toolbox, search)
    rng = np.random.default_rng(stream(rehearsal.seed))
    worth: dict[int, float] = {}
    found, born = [], 0
    while born < rehearsal.lifetimes:
        end = min(rehearsal.lifetimes, born + rehearsal.batch) if born else rehearsal.population
        births = breeding.many(range(born, end))
        for birth in births:
            fate = rng.standard_normal(2)
            parent = worth.get(birth.parent) if birth.parent is not None else None
            worth[birth.id], score = _judged(rehearsal.heredity, parent, fate)
            fitness = make_fitness(("fitness",), {"fitness": score})
            search.remember(Individual(birth.id, from_json(birth.genome), birth.generation, score, {}, fitness))
        genomes = [from_json(birth.genome) for birth in births]
        if rehearsal.padded:
            genomes = [replace(genome, limbs=_padded(genome.limbs)) for genome in genomes]
        found.append([toolbox.topology(genome) for genome in genomes])
        born = end
    living = range(max(0, born - rehearsal.population), born)
    kinds = [kind for batch in found for kind in batch]
    return Bred(found, fmean(worth[number] for number in living), len({kinds[number] for number in living}))


def _padded(limbs: tuple[Limb, ...]) -> tuple[Limb, ...]:
    """Limbs of one hinge each."""
    return tuple(replace(limb, hinges=limb.hinges[:1], limbs=_padded(limb.limbs)) for limb in limbs)


def _judged(heredity: Heredity, parent: float | None, fate: np.ndarray) -> tuple[float, float]:
    """A body's worth, and the fitness that it is found to have."""
    if not heredity.heritable:
        return 0.0, float(fate[1])
    own = float(fate[0]) if parent is None else parent + heredity.drift + heredity.step * float(fate[0])
    return own, own + heredity.error * float(fate[1])


def figures(batches: Sequence[Sequence[str]]) -> dict[str, float]:
    """Means over batches: shares of bodies by size of bucket, bodies per topology, and per topology that is shared."""
    counts = [Counter(batch) for batch in batches]
    shared = [[number for number in each.values() if number > 1] for each in counts]
    return {
        **{f">= {size}": fmean(shares(batch)[size] for batch in batches) for size in SIZES},
        "bodies a topology": fmean(len(batch) / len(count) for batch, count in zip(batches, counts, strict=True)),
        "a shared one": fmean(fmean(each) if each else 0.0 for each in shared),
    }


def bench_topologies(config: Rehearsal, progress: Progress) -> dict[str, Any]:
    """Figures of the initial population and of the children by quarters of the run; and the living at its end."""
    progress.say(f"Breeding {config.lifetimes:,} bodies in batches of {config.batch}, broods of {config.brood}.")
    bred = rehearse(config)
    initial, *batches = bred.batches
    edges = np.linspace(0, len(batches), 5).round().astype(int)
    parts = {"initial population": [initial]}
    parts |= {f"batches {low + 1} to {high}": batches[low:high] for low, high in itertools.pairwise(edges)}
    told = {name: figures(part) for name, part in parts.items() if part}
    return {"bodies": told, "living_topologies": bred.living_topologies, "living_worth": bred.worth}


def topologies_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    told = figures["bodies"]
    rows: list[tuple[str, ...]] = [("share of bodies in buckets of", *next(iter(told.values())))]
    rows += [(name, *(f"{value:.2f}" for value in row.values())) for name, row in told.items()]
    blank = [""] * (len(rows[0]) - 2)
    rows.append(("topologies of the living at the end", str(figures["living_topologies"]), *blank))
    rows.append(("their mean worth", f"{figures['living_worth']:.2f}", *blank))
    return rows


BENCH = Measure(Rehearsal, bench_topologies, topologies_rows)
