"""Evolutions that nobody lived: ledgers with made-up lifetimes, for tests and for measuring the report at full size.

``python -m tests.report.synthetic FOLDER --lifetimes 4000`` writes one.
"""

import argparse
import json
import sqlite3
from pathlib import Path

import numpy as np
import yaml

from embodied.evolution.ledger import Birth, Ledger
from morphologies import OPERATORS, describe, develop, fingerprint, initial_population, mutate, to_json
from tests.evolution.short import MEASURES, outcome

CONFIG = {
    "kind": "evolve",
    "task": "flat",
    "search": "tournament",
    "population": 4,
    "lifetimes": 8,
    "steps": 4096,
    "worlds": 4,
    "budget": "fixed",
    "space": "unimal",
}
DENSITIES = (500, 600, 700, 800, 900, 1000)


def genome(number):
    """JSON of one of a few valid genomes."""
    return json.dumps(
        {
            "format": "embodied.genome",
            "version": 1,
            "head_density": DENSITIES[number % len(DENSITIES)],
            "limb_density": 1000,
            "limbs": [
                {
                    "site": "head",
                    "theta": 45,
                    "phi": 135,
                    "height": 0.4,
                    "mirrored": True,
                    "hinges": [{"axis": "y", "range": [-60, 60], "gear": 200}],
                    "limbs": [],
                }
            ],
        }
    )


def write_run(folder, lives, **config):
    """An evolution of hand-made lifetimes through the ledger's own door.

    Args:
        folder: of the run; made.
        lives: by id, dictionaries with any of parent, operator, attempts, failed_operators, status (``finished``,
            ``failed`` or ``running``) and what `tests.evolution.short.outcome` takes.
        config: fields of the configuration that differ from `CONFIG`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump({**CONFIG, "lifetimes": len(lives), **config}))
    ledger = Ledger(folder / "ledger.sqlite")
    generations = []
    for number, given in enumerate(lives):
        life = dict(given)
        parent, operator = life.pop("parent", None), life.pop("operator", None)
        generations.append(0 if parent is None else generations[parent] + 1)
        text = life.pop("genome", genome(number))
        ledger.begin(
            Birth(
                *(number, parent, generations[number], operator, life.pop("attempts", 1)),
                *(life.pop("failed_operators", {}), text, life.pop("fingerprint", f"print-{number}"), number),
            )
        )
        status = life.pop("status", "finished")
        if status == "finished":
            measures = {**MEASURES, **life.pop("measures", {})}
            ledger.finish(number, outcome(measures=measures, **life))
        elif status == "failed":
            ledger.fail(number, "error", "Traceback\nValueError: it broke", life.get("environment_steps", 100))
    ledger.close()
    return folder


def write_large(folder, lifetimes=4000, population=576, points=120, steps=5_000_000, seed=0):
    """A large evolution: real genomes from a few founders, invented fitness and curves, some failures, DERL's sizes."""
    rng = np.random.default_rng(seed)
    founders = [_born(genome) for genome in initial_population(min(24, population), rng)]
    folder.mkdir(parents=True, exist_ok=True)
    config = {**CONFIG, "lifetimes": lifetimes, "population": population, "steps": steps, "worlds": 32}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    Ledger(folder / "ledger.sqlite").close()
    db = sqlite3.connect(folder / "ledger.sqlite")
    fitness, generation, bodies = np.zeros(lifetimes), np.zeros(lifetimes, int), []
    times = np.linspace(steps / points, steps, points).astype(int)
    lives, curves = [], []
    for number in range(lifetimes):
        parent = operator = None
        if number < population:
            bodies.append(founders[number % len(founders)])
            fitness[number] = 40 * rng.gamma(2.0)
        else:
            drawn = rng.integers(number - population, number, size=4)
            parent = int(drawn[np.argmax(fitness[drawn])])
            operator = str(rng.choice(list(OPERATORS)))
            # Mutation takes some milliseconds; a few hundred different bodies are as good as thousands.
            fresh = mutate(bodies[parent][0], rng) if rng.random() < 0.1 else None
            bodies.append(_born(fresh.child) if fresh else bodies[parent])
            operator = fresh.operator if fresh else operator
            generation[number] = generation[parent] + 1
            fitness[number] = max(-20.0, fitness[parent] * rng.normal(0.9, 0.2) + rng.normal(20, 60))
        failed = number % 97 == 5 and number > population
        rate = 0.6 + 0.05 * generation[number]
        text, name, description = bodies[number][1:]
        stands = float(min(1.0, generation[number] / 10))
        measures = {**MEASURES, "speed": fitness[number] / 1000, "cost_of_transport": 300 / rate, "stands": stands}
        common = (number, parent, int(generation[number]), operator, 1, "{}", text, name, number)
        if failed:
            fitness[number] = -np.inf
            lives.append((*common, "failed", number, *[None] * 5, 1000, *[None] * 4, "died", "killed", None))
            continue
        value = float(fitness[number])
        lives.append(
            (
                *(*common, "finished", number, value, 1.0, value - 5, value + 5, steps, steps, None, 0),
                *(json.dumps(description), json.dumps(measures), None, None, 60.0),
            )
        )
        course = value * (1 - np.exp(-rate * 5 * times / steps)) + rng.normal(0, 12, points)
        curves += [(number, at, value, value, 900.0) for at, value in zip(times.tolist(), course.tolist(), strict=True)]
    columns = (
        "id, parent, generation, operator, attempts, failed_operators, genome, fingerprint, seed, status, "
        "finish_order, fitness, fitness_std, fitness_low, fitness_high, budget, environment_steps, stopped_at_rung, "
        "unhealthy_episodes, description, measures, failure, error, cpu_seconds"
    )
    db.executemany(f"INSERT INTO lifetimes ({columns}, started_at) VALUES ({', '.join('?' * 24)}, 0.0)", lives)
    db.executemany("INSERT INTO curves VALUES (?, ?, ?, ?, ?)", curves)
    db.commit()
    db.close()
    return folder


def _born(genome):
    return genome, to_json(genome), fingerprint(genome), describe(develop(genome).compile()).as_dict()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lifetimes", type=int, default=4000)
    parser.add_argument("--points", type=int, default=120)
    given = parser.parse_args()
    print(write_large(given.folder, given.lifetimes, points=given.points))
