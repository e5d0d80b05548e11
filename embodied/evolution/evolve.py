"""Evolution: DERL's asynchronous steady-state tournament with ageing. Gupta et al. (2021), "Distributed asynchronous
evolution".

Bodies are born as workers become free: first the initial population, then mutated children of tournament winners
among the most recent. Every child learns from nothing. Nobody waits for a generation to end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from deap import tools

from embodied.evolution.ledger import Birth, Ledger, Outcome
from embodied.evolution.lifetimes import Order
from embodied.evolution.toolbox import Individual, make_toolbox, seeded
from embodied.evolution.workers import Advanced, Failed, Finished, Workers
from embodied.learning.limits import refuse_impossible_learning
from embodied.learning.ppo import PPOConfig
from embodied.networks import PolicyConfig
from embodied.physics.cpu import usable_cores
from embodied.runs.configuration import require_positive
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.progress import Progress
from embodied.runs.seeds import generator_seed, stream
from morphologies import SPLAYED, UNIMAL, Genome, fingerprint, from_json, to_json

INITIAL, CHILD, LIFETIME, EVALUATION = range(4)
"""Streams of randomness below a run's seed."""


@dataclass(frozen=True)
class EvolveConfig:
    """One evolution."""

    task: str = "flat"
    """Registered name."""
    lifetimes: int = 64
    """In all, the initial population included. DERL, 4,000."""
    population: int = 16
    """Initial bodies, and the number of most recent ones that tournaments are held among. DERL, 576."""
    tournament: int = 4
    """Bodies drawn, with replacement, of which the best becomes a parent. DERL."""
    space: Literal["unimal", "splayed"] = "unimal"
    """Design space: the paper's, or with limbs that splay on mirrored limbs."""
    steps: int = 250_000
    """Environment steps of one lifetime. DERL, 5,000,000."""
    worlds: int = 64
    """Worlds of one lifetime."""
    episodes: int = 16
    """Of the evaluation that selection goes by, mean action, on the same seeds for all bodies."""
    seed: int = 0
    """Of everything random."""
    workers: int | None = None
    """Processes; as many as there are usable cores by default."""
    device: str = "cpu"
    """Where lifetimes are lived."""
    ppo: PPOConfig = field(default_factory=lambda: PPOConfig(rollout_steps=64))
    """Hyperparameters of learning."""
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """Its networks."""


class Evolution:
    """The state of one run: what lived, what is alive, and who comes next. All of it can be read from the ledger."""

    def __init__(self, config: EvolveConfig, folder: Path) -> None:
        """Takes up the ledger of the folder, or begins one.

        Raises:
            UserError: a configuration that no evolution can have, or a file that is no ledger.
        """
        refuse_impossible(config)
        self.config = config
        self.folder = folder
        self.ledger = Ledger(folder / "ledger.sqlite")
        self.toolbox: Any = make_toolbox(config.tournament, SPLAYED if config.space == "splayed" else UNIMAL)
        self.lived: list[Individual] = []
        """Finished lifetimes in the order in which they finished."""
        self.best = tools.HallOfFame(1, similar=lambda a, b: a.lifetime == b.lifetime)
        self.failed = 0
        self.interrupted: list[Birth] = []
        """Lifetimes that were running when the run was last stopped."""
        self.born = 0
        self._take_up()

    def _take_up(self) -> None:
        rows = self.ledger.lifetimes()
        self.born = len(rows)
        for row in sorted((r for r in rows if r["status"] == "finished"), key=lambda r: r["finish_order"]):
            self._remember(row["id"], from_json(row["genome"]), row["generation"], row["fitness"])
        self.failed = sum(row["status"] == "failed" for row in rows)
        self.interrupted = [_birth_of(row) for row in rows if row["status"] == "running"]

    def _remember(self, lifetime: int, genome: Genome, generation: int, fitness: float) -> Individual:
        individual = Individual(lifetime, genome, generation)
        individual.fitness.values = (fitness,)
        self.lived.append(individual)
        self.best.update([individual])
        return individual

    @cached_property
    def initial(self) -> list[Genome]:
        """The first bodies; drawing them takes some 30 ms a candidate, so it is left until they are needed."""
        return self.toolbox.population(self.config.population, np.random.default_rng(stream(self.config.seed, INITIAL)))

    @property
    def ended(self) -> bool:
        """Whether all lifetimes have been lived."""
        return len(self.lived) + self.failed >= self.config.lifetimes

    def next_birth(self) -> Birth | None:
        """Who is born now; None when all are, or when nobody has lived yet to be a parent."""
        if self.interrupted:
            return self.interrupted.pop(0)
        number = self.born
        if number >= self.config.lifetimes:
            return None
        if number < self.config.population:
            genome = self.initial[number]
            birth = self._birth(number, None, 0, None, 1, {}, genome)
        else:
            if not self.lived:
                return None
            rng = np.random.default_rng(stream(self.config.seed, CHILD, number))
            with seeded(rng):
                (parent,) = self.toolbox.select(self.lived[-self.config.population :], 1)
            mutation = self.toolbox.mutate(parent.genome, rng)
            birth = self._birth(
                number,
                parent.lifetime,
                parent.generation + 1,
                mutation.operator,
                mutation.attempts,
                mutation.failed,
                mutation.child,
            )
        self.born += 1
        return birth

    def _birth(
        self,
        number: int,
        parent: int | None,
        generation: int,
        operator: str | None,
        attempts: int,
        failed: dict[str, int],
        genome: Genome,
    ) -> Birth:
        seed = generator_seed(stream(self.config.seed, LIFETIME, number))
        return Birth(number, parent, generation, operator, attempts, failed, to_json(genome), fingerprint(genome), seed)

    def order(self, birth: Birth) -> Order:
        """What a worker is told of a birth."""
        config = self.config
        return Order(
            id=birth.id,
            genome=birth.genome,
            seed=birth.seed,
            evaluation_seed=generator_seed(stream(config.seed, EVALUATION)),
            task=config.task,
            steps=config.steps,
            worlds=config.worlds,
            episodes=config.episodes,
            ppo=config.ppo,
            policy=config.policy,
            folder=self.folder / "lifetimes" / f"{birth.id:06d}",
        )

    def finish(self, birth: Birth, outcome: Outcome) -> Individual:
        """A lifetime ended well."""
        self.ledger.finish(birth.id, outcome)
        return self._remember(birth.id, from_json(birth.genome), birth.generation, outcome.fitness)

    def fail(self, birth: Birth, error: str) -> None:
        """A lifetime failed: it is recorded and never a parent."""
        self.ledger.fail(birth.id, error)
        self.failed += 1


def evolve(evolution: Evolution, progress: Progress) -> None:
    """Runs an evolution to its end, on as many workers as its configuration says."""
    config = evolution.config
    workers = Workers(min(config.workers or usable_cores(), config.lifetimes))
    alive: dict[int, Birth] = {}
    try:
        while not evolution.ended:
            while workers.free and (birth := evolution.next_birth()):
                evolution.ledger.begin(birth)
                alive[birth.id] = birth
                progress.begin(birth.id, f"lifetime {birth.id}", config.steps)
                workers.submit(evolution.order(birth))
            if not workers.busy:
                raise UserError("every lifetime so far failed, so there is no parent; see the errors in the ledger")
            for event in workers.events():
                match event:
                    case Advanced(lifetime, steps, reward):
                        progress.advance(lifetime, steps, reward)
                    case Finished(lifetime, outcome):
                        evolution.finish(alive[lifetime], outcome)
                        progress.end(lifetime, _line(evolution, alive.pop(lifetime), outcome))
                        write_best(evolution)
                    case Failed(lifetime, error):
                        evolution.fail(alive.pop(lifetime), error)
                        progress.end(lifetime, f"lifetime {lifetime} failed: {error}")
                progress.summary = _summary(evolution)
    finally:
        workers.close()
    refuse_fruitless(evolution)


def refuse_fruitless(evolution: Evolution) -> None:
    """Raises UserError where an evolution has ended without one lifetime that went well."""
    if not evolution.lived:
        raise UserError(f"every lifetime failed; the errors are in {evolution.ledger.path}")


def write_best(evolution: Evolution) -> None:
    """Leaves the best body, and the best of the initial ones, as genome files in the run's folder."""
    best = max(evolution.lived, key=lambda i: (i.fitness, -i.lifetime))
    first = max((i for i in evolution.lived if i.generation == 0), key=lambda i: (i.fitness, -i.lifetime), default=best)
    for individual, name in ((best, "best.json"), (first, "best-initial.json")):
        write_atomically(evolution.folder / name, to_json(individual.genome, indent=2) + "\n")


def _line(evolution: Evolution, birth: Birth, outcome: Outcome) -> str:
    origin = f"{birth.operator} of {birth.parent}" if birth.parent is not None else "initial"
    done = len(evolution.lived) + evolution.failed
    return (
        f"[{done}/{evolution.config.lifetimes}] lifetime {birth.id} ({origin}): fitness {outcome.fitness:,.1f} "
        f"± {outcome.fitness_std:,.1f}, {outcome.environment_steps / outcome.wall_seconds:,.0f} steps/s; "
        f"{_summary(evolution)}"
    )


def _summary(evolution: Evolution) -> str:
    if not len(evolution.best):
        return ""
    best = evolution.best[0]
    return f"best {best.fitness.values[0]:,.1f} (lifetime {best.lifetime})"


def _birth_of(row: dict) -> Birth:
    return Birth(
        *(row["id"], row["parent"], row["generation"], row["operator"], row["attempts"]),
        json.loads(row["failed_operators"]),
        *(row["genome"], row["fingerprint"], row["seed"]),
    )


def refuse_impossible(config: EvolveConfig) -> None:
    """Raises UserError for a configuration that no evolution can have."""
    require_positive(config, "lifetimes", "population", "tournament", "steps", "episodes", "workers")
    refuse_impossible_learning(config)
    if config.device != "cpu":
        raise UserError(f"evolution runs on cpu for now, not on {config.device!r}")
