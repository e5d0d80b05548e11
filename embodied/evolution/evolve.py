"""Evolution: DERL's asynchronous steady state. Gupta et al. (2021), "Distributed asynchronous evolution".

Bodies are born as workers become free: first the initial population, then mutated children of parents that a search
chooses. Every child learns from nothing. Nobody waits for a generation to end. All of the state is in the ledger and
the lifetimes' folders, so the driver and its workers may die at any moment.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embodied.evolution.breeding import EVALUATION, Breeding
from embodied.evolution.buckets import FOLDER
from embodied.evolution.configuration import EvolveConfig, refuse_impossible
from embodied.evolution.halving import goes_on, rungs
from embodied.evolution.ledger import Birth, Failure, Ledger, Outcome, genome_of
from embodied.evolution.lifetimes import CHECKPOINTS, Order, live
from embodied.evolution.search import make_search
from embodied.evolution.toolbox import Individual, make_fitness, make_toolbox
from embodied.evolution.workers import Advanced, Began, Failed, Finished, Interrupted, Lives, Reached, Workers
from embodied.physics.cpu import usable_cores
from embodied.physics.devices import is_gpu_world
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.progress import Progress
from embodied.runs.seeds import generator_seed, stream
from morphologies import SPLAYED, UNIMAL, Genome, from_json, to_json


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
        self.search = make_search(config, self.toolbox)
        self.breeding = Breeding(config, self.toolbox, self.search)
        self.lived: list[Individual] = []
        """Finished lifetimes in the order in which they finished."""
        self.best: Individual | None = None
        self.best_initial: Individual | None = None
        self.failed = 0
        self.interrupted: list[Birth] = []
        """Lifetimes that were running when the run was last stopped."""
        self.born = 0
        self._take_up()

    def _take_up(self) -> None:
        rows = self.ledger.lifetimes()
        self.born = len(rows)
        for row in sorted((r for r in rows if r["status"] == "finished"), key=lambda r: r["finish_order"]):
            figures = {"fitness": row["fitness"], **json.loads(row["measures"])}
            self._remember(row["id"], genome_of(row), row["generation"], figures, json.loads(row["description"]))
        self.failed = sum(row["status"] == "failed" for row in rows)
        self.interrupted = [_birth_of(row) for row in rows if row["status"] == "running"]
        self._rungs = {(row["lifetime"], row["rung"]): row for row in self.ledger.rungs()}

    def _remember(
        self,
        lifetime: int,
        genome: Genome,
        generation: int,
        figures: dict[str, float | None],
        description: dict[str, float],
    ) -> Individual:
        fitness = make_fitness(self.config.objectives, {**figures, **description})
        score = figures["fitness"]
        assert score is not None
        individual = Individual(lifetime, genome, generation, score, description, fitness)
        self.lived.append(individual)
        self.search.remember(individual)
        self.best = _better(self.best, individual)
        if lifetime < self.config.population:
            self.best_initial = _better(self.best_initial, individual)
        return individual

    @property
    def ended(self) -> bool:
        """Whether all lifetimes have been lived."""
        return len(self.lived) + self.failed >= self.config.lifetimes

    def next_birth(self) -> Birth | None:
        """Who is born now; None when all are, or when nobody has lived yet to be a parent."""
        if self.interrupted:
            return self.interrupted.pop(0)
        number = self.born
        if number >= self.config.lifetimes or (number >= self.config.population and not self.lived):
            return None
        self.born += 1
        return self.breeding.one(number)

    def next_births(self) -> list[Birth]:
        """Who is born next on a device: the whole initial population, or a batch; nobody where `next_birth` is None.

        They stand in the ledger at once, as begun: none of them is lost if the driver dies now.
        """
        config = self.config
        whole = config.population if self.born < config.population else self.born + config.batch
        numbers = range(self.born, min(whole, config.lifetimes))
        if not numbers or (self.born >= config.population and not self.lived):
            return []
        births = self.breeding.many(numbers)
        self.ledger.begin(*births)
        self.born = numbers.stop
        return births

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
            rungs=self._rung_steps,
            worlds=config.worlds,
            episodes=config.episodes,
            checkpoint_seconds=config.checkpoint_seconds,
            ppo=config.ppo,
            policy=config.policy,
            folder=self.folder_of(birth),
        )

    @property
    def _rung_steps(self) -> tuple[int, ...]:
        if self.config.budget == "fixed":
            return ()
        return rungs(self.config.steps, self.config.worlds * self.config.ppo.rollout_steps, self.config.halving_factor)

    def folder_of(self, birth: Birth) -> Path:
        """Of a lifetime."""
        return self.folder / "lifetimes" / f"{birth.id:06d}"

    def reach(self, lifetime: int, rung: int, steps: int, value: float | None) -> bool:
        """A lifetime reached a rung; returns whether it goes on. Asked again, the answer is the same."""
        if (lifetime, rung) not in self._rungs:
            reached = [r["value"] for (_, at), r in self._rungs.items() if at == rung and r["value"] is not None]
            decided = goes_on(value, reached, self.config.halving_factor)
            self.ledger.reach(lifetime, rung, steps, value, decided)
            self._rungs[lifetime, rung] = {"value": value, "goes_on": decided}
        return bool(self._rungs[lifetime, rung]["goes_on"])

    def finish(self, birth: Birth, outcome: Outcome) -> None:
        """A lifetime ended well."""
        self.end([(birth, outcome)])

    def fail(self, birth: Birth, failure: str, error: str, steps: int) -> None:
        """A lifetime failed: it is recorded and never a parent."""
        self.end([(birth, Failure(failure, error, steps))])

    def end(self, ends: Sequence[tuple[Birth, Outcome | Failure]]) -> None:
        """Lifetimes ended together."""
        self.ledger.end({birth.id: end for birth, end in ends})
        for birth, end in ends:
            shutil.rmtree(self.folder_of(birth) / CHECKPOINTS, ignore_errors=True)
            if isinstance(end, Failure):
                self.failed += 1
            else:
                figures = {"fitness": end.fitness, **end.measures}
                self._remember(birth.id, from_json(birth.genome), birth.generation, figures, end.description)


def _better(best: Individual | None, new: Individual) -> Individual:
    """The one with the greater score; of equals the one born first."""
    if best is None or (new.score, -new.lifetime) > (best.score, -best.lifetime):
        return new
    return best


def evolve(evolution: Evolution, progress: Progress, lives: Lives = live) -> None:
    """Runs an evolution to its end, on as many workers as its configuration says; ``lives`` is what a lifetime is."""
    config = evolution.config
    if is_gpu_world(config.device):
        from embodied.evolution.evolve_on_device import DeviceEvolution

        DeviceEvolution(evolution, progress, lives).run()
        refuse_fruitless(evolution)
        return
    shutil.rmtree(evolution.folder / FOLDER, ignore_errors=True)  # of a run that was on a GPU before
    workers = Workers(
        min(config.workers or usable_cores(), config.lifetimes),
        patience=config.patience,
        memory=config.memory,
        lives=lives,
    )
    alive: dict[int, Birth] = {}
    try:
        while not evolution.ended:
            while workers.free and (birth := evolution.next_birth()):
                evolution.ledger.begin(birth)
                alive[birth.id] = birth
                workers.submit(evolution.order(birth))
            if not workers.busy:
                raise UserError("every lifetime so far failed, so there is no parent; see the errors in the ledger")
            for event in workers.events():
                match event:
                    case Began(lifetime, steps):
                        progress.begin(lifetime, f"lifetime {lifetime}", config.steps, steps)
                    case Advanced(lifetime, steps, reward):
                        progress.advance(lifetime, steps, reward)
                    case Reached(lifetime, rung, steps, value):
                        workers.answer(lifetime, evolution.reach(lifetime, rung, steps, value))
                    case Interrupted(lifetime, cause):
                        progress.say(f"lifetime {lifetime}: its worker was killed ({cause}); it goes on with another")
                    case Finished(lifetime, outcome):
                        evolution.finish(alive[lifetime], outcome)
                        progress.end(lifetime, line_of(evolution, alive.pop(lifetime), outcome))
                        write_best(evolution)
                    case Failed(lifetime, failure, error, steps):
                        evolution.fail(alive.pop(lifetime), failure, error, steps)
                        progress.end(lifetime, f"lifetime {lifetime} failed: {error}")
                progress.summary = summary_of(evolution)
    finally:
        workers.close()
    refuse_fruitless(evolution)


def refuse_fruitless(evolution: Evolution) -> None:
    """Raises UserError where an evolution has ended without one lifetime that went well."""
    if not evolution.lived:
        raise UserError(f"every lifetime failed; the errors are in {evolution.ledger.path}")


def write_best(evolution: Evolution) -> None:
    """Leaves the best body, and the best of the initial ones, as genome files in the run's folder."""
    initial = evolution.best_initial or evolution.best
    for individual, name in ((evolution.best, "best.json"), (initial, "best-initial.json")):
        text = to_json(individual.genome, indent=2) + "\n" if individual else ""
        path = evolution.folder / name
        if individual and not (path.exists() and path.read_text() == text):
            write_atomically(path, text)


def line_of(evolution: Evolution, birth: Birth, outcome: Outcome, later: int = 0) -> str:
    """A line about a lifetime that ended well, and after which so many have ended already."""
    origin = f"{birth.operator} of {birth.parent}" if birth.parent is not None else "initial"
    done = len(evolution.lived) + evolution.failed - later
    return (
        f"[{done}/{evolution.config.lifetimes}] lifetime {birth.id} ({origin}): fitness {outcome.fitness:,.1f} "
        f"± {outcome.fitness_std:,.1f}, {outcome.environment_steps / outcome.wall_seconds:,.0f} steps/s"
        f"{'' if outcome.stopped_at_rung is None else f', cut short at {outcome.environment_steps:,} steps'}; "
        f"{summary_of(evolution)}"
    )


def summary_of(evolution: Evolution) -> str:
    """The best so far; empty as long as there is none."""
    if evolution.best is None:
        return ""
    return f"best {evolution.best.score:,.1f} (lifetime {evolution.best.lifetime})"


def _birth_of(row: dict) -> Birth:
    return Birth(
        *(row["id"], row["parent"], row["generation"], row["operator"], row["attempts"]),
        json.loads(row["failed_operators"]),
        *(row["genome"], row["fingerprint"], row["seed"]),
    )
