"""Evolution with real workers and real, very short, lifetimes."""

import dataclasses
import random

import pytest

from embodied.evolution.evolve import Evolution, evolve
from embodied.evolution.lifetimes import derl_fitness
from embodied.evolution.workers import Failed, Finished, Workers
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress
from morphologies import from_json, violation
from morphologies.unimal import UNIMAL
from tests.evolution.short import SMALL, outcome


def run(folder, config=SMALL):
    folder.mkdir(exist_ok=True)
    evolution = Evolution(config, folder)
    with Progress("test") as progress:
        evolve(evolution, progress)
    dump, rows = list(evolution.ledger.dump()), evolution.ledger.lifetimes()
    evolution.ledger.close()
    return dump, rows


def test_two_evolutions_of_one_seed_with_one_worker_have_the_same_ledger(tmp_path):
    random.seed(0)
    first, rows = run(tmp_path / "a")
    random.seed(1)  # the global generators do not matter
    second, _ = run(tmp_path / "b")
    assert first == second
    assert [row["status"] for row in rows] == ["finished"] * 5
    assert [row["parent"] for row in rows[:2]] == [None, None]
    for row in rows[2:]:
        parent = rows[row["parent"]]
        assert row["operator"]
        assert row["generation"] == parent["generation"] + 1
        assert row["fingerprint"] != parent["fingerprint"]
        assert violation(from_json(row["genome"]), UNIMAL) is None
    assert len({row["seed"] for row in rows}) == 5


def test_a_stopped_evolution_resumed_gives_the_ledger_of_one_never_stopped(tmp_path):
    whole, _ = run(tmp_path / "whole")
    folder = tmp_path / "stopped"
    folder.mkdir()
    evolution = Evolution(SMALL, folder)
    births = []
    workers = Workers(1)
    for _ in range(3):
        birth = evolution.next_birth()
        births.append(birth)
        evolution.ledger.begin(birth)
        if len(births) == 3:
            break  # the third begins and is cut off
        workers.submit(evolution.order(birth))
        outcome = wait_for(workers, Finished).outcome
        evolution.finish(birth, outcome)
    workers.close()
    evolution.ledger.close()
    resumed, rows = run(folder)
    assert resumed == whole
    assert len(rows) == 5


def wait_for(workers, kind):
    while True:
        for event in workers.events():
            if isinstance(event, Finished | Failed):
                assert isinstance(event, kind), event
                return event


def test_parents_come_from_the_latest_and_a_failure_is_never_one(tmp_path):
    config = dataclasses.replace(SMALL, lifetimes=40, population=4)
    evolution = Evolution(config, tmp_path)
    parents = []
    for number in range(40):
        birth = evolution.next_birth()
        evolution.ledger.begin(birth)
        parents.append(birth.parent)
        if number % 5 == 4:
            evolution.fail(birth, "error", "exploded", 0)
        else:
            evolution.finish(birth, outcome(100.0 - number))  # the old ones are the better ones, and age out
    assert evolution.next_birth() is None
    assert evolution.ended
    finished = [n for n in range(40) if n % 5 != 4]
    for number, parent in enumerate(parents):
        if parent is not None:
            assert parent in [n for n in finished if n < number][-4:]
    assert evolution.best.lifetime == 0
    evolution.ledger.close()


def test_an_evolution_in_which_all_fail_says_so(tmp_path):
    evolution = Evolution(dataclasses.replace(SMALL, lifetimes=2, task="flatt"), tmp_path)
    with pytest.raises(UserError, match="every lifetime"), Progress("test") as progress:
        evolve(evolution, progress)
    assert len(evolution.ledger.lifetimes("failed")) == 2
    evolution.ledger.close()


@pytest.mark.parametrize("change", [{"lifetimes": 0}, {"population": 0}, {"workers": 0}, {"device": "cuda"}])
def test_impossible_configurations_are_refused_by_name(tmp_path, change):
    with pytest.raises(UserError, match=next(iter(change)) if "device" not in change else "cuda"):
        Evolution(dataclasses.replace(SMALL, **change), tmp_path)


def test_derl_fitness_is_the_mean_of_the_last_eight_percent():
    curve = [float(i) for i in range(100)]
    assert derl_fitness(curve) == sum(range(92, 100)) / 8
    assert derl_fitness([None, 2.0]) == 2.0
    assert derl_fitness([None]) is None


def test_random_search_shares_the_initial_bodies_and_their_whole_lives(tmp_path):
    tournament, random_search = (
        run(tmp_path / search, dataclasses.replace(SMALL, search=search))[1] for search in ("tournament", "random")
    )
    columns = ("genome", "seed", "fitness", "parent", "operator", "generation", "environment_steps", "measures")
    for one, two in zip(tournament[:2], random_search[:2], strict=True):
        assert [one[name] for name in columns] == [two[name] for name in columns]
    assert [row["parent"] for row in random_search] == [None] * 5
    assert len({row["fingerprint"] for row in random_search}) == 5
    assert all(row["parent"] is not None for row in tournament[2:])


@pytest.mark.parametrize(("search", "objectives"), [("nsga2", ("speed", "limbs")), ("map-elites", ("fitness",))])
def test_every_search_repeats_itself_and_goes_on_from_its_ledger(tmp_path, search, objectives):
    config = dataclasses.replace(SMALL, search=search, objectives=objectives, lifetimes=6)
    whole, rows = run(tmp_path / "whole", config)
    run(tmp_path / "parts", dataclasses.replace(config, lifetimes=4))
    resumed, _ = run(tmp_path / "parts", config)
    assert resumed == whole
    assert all(row["parent"] is not None for row in rows[2:])
