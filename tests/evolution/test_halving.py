import dataclasses

from embodied.evolution.evolve import Evolution, evolve
from embodied.evolution.halving import goes_on, rungs
from embodied.runs.progress import Progress
from tests.evolution.short import SMALL


def test_rungs_are_whole_rollouts_at_a_ninth_and_a_third():
    assert rungs(90_000, 1000, 3) == (10_000, 30_000)
    assert rungs(100_000, 4096, 3) == (12_288, 36_864)


def test_a_lifetime_too_short_for_rungs_has_none():
    assert rungs(3000, 1000, 3) == ()
    assert rungs(10_000, 1000, 3) == (4000,)


def test_one_in_so_many_passes_and_nobody_waits():
    assert goes_on(1.0, [], 3)  # the first has nobody to be compared with
    assert not goes_on(1.0, [2.0], 3)
    assert goes_on(3.0, [2.0], 3)
    reached = [float(value) for value in range(8)]
    assert [goes_on(value, reached, 3) for value in (4.5, 5.5)] == [False, True]  # 9 values: the best three
    assert goes_on(None, reached, 3)  # no episode has ended yet: nothing can be said


def run(folder, config):
    folder.mkdir()
    evolution = Evolution(config, folder)
    with Progress("test") as progress:
        evolve(evolution, progress)
    found = evolution.ledger.lifetimes(), evolution.ledger.rungs(), list(evolution.ledger.dump())
    evolution.ledger.close()
    return found


def test_hopeless_lifetimes_are_cut_short_and_it_is_recorded(tmp_path):
    config = dataclasses.replace(SMALL, budget="halving", steps=128 * 27, lifetimes=8, population=4)
    rows, decisions, dump = run(tmp_path / "a", config)
    assert run(tmp_path / "b", config)[2] == dump
    assert {row["budget"] for row in rows} == {128 * 27}
    cut = {row["id"]: row["stopped_at_rung"] for row in rows if row["stopped_at_rung"] is not None}
    assert cut
    for row in rows:
        own = [d for d in decisions if d["lifetime"] == row["id"]]
        assert [d["rung"] for d in own] == list(range(len(own)))
        assert all(d["goes_on"] for d in own[:-1])
        if row["id"] in cut:
            assert (own[-1]["rung"], own[-1]["goes_on"]) == (cut[row["id"]], 0)
            assert row["environment_steps"] == own[-1]["steps"] == (384, 1152)[cut[row["id"]]]
        else:
            assert row["environment_steps"] == row["budget"]
            assert len(own) == 2
            assert own[-1]["goes_on"]


def test_asked_again_after_a_restart_the_answer_is_the_same(tmp_path):
    config = dataclasses.replace(SMALL, budget="halving")
    evolution = Evolution(config, tmp_path)
    for _ in range(2):
        evolution.ledger.begin(evolution.next_birth())
    first = [evolution.reach(0, 0, 128, 1.0), evolution.reach(1, 0, 128, 0.5)]
    evolution.ledger.close()
    again = Evolution(config, tmp_path)
    assert [again.reach(0, 0, 128, 1.0), again.reach(1, 0, 128, 0.5)] == first == [True, False]
    assert len(again.ledger.rungs()) == 2
    again.ledger.close()
