"""Evolutions that are only bred: how many bodies of a batch share a topology."""

import pytest

from embodied.bench.topologies import Heredity, Rehearsal, bench_topologies, figures, rehearse, topologies_rows
from tests.bench.silence import Silent

SMALL = Rehearsal(lifetimes=60, population=12, batch=20, seed=3)


def test_it_breeds_the_whole_run_the_same_each_time():
    bred = rehearse(SMALL)
    assert [len(batch) for batch in bred.batches] == [12, 20, 20, 8]
    last = [kind for batch in bred.batches for kind in batch][-12:]
    assert bred.living_topologies == len(set(last))
    assert rehearse(SMALL) == bred


def test_broods_make_larger_buckets():
    plain, broods = (
        figures(rehearse(Rehearsal(lifetimes=92, population=12, batch=40, brood=brood, seed=3)).batches[1:])
        for brood in (1, 8)
    )
    assert broods[">= 4"] > plain[">= 4"]
    assert broods["bodies a topology"] > plain["bodies a topology"]


def test_figures_are_means_over_batches():
    told = figures(["aab", "cccc"])
    assert told[">= 2"] == pytest.approx((2 / 3 + 1) / 2)
    assert told["bodies a topology"] == pytest.approx((1.5 + 4) / 2)
    assert told["a shared one"] == pytest.approx((2 + 4) / 2)


def test_fitness_without_heredity_is_chance_alone():
    assert rehearse(Rehearsal(lifetimes=20, population=12, batch=8, heredity=Heredity(heritable=False))).worth == 0.0


def test_padded_limbs_are_told_apart_by_the_tree_alone():
    plain, padded = (
        rehearse(Rehearsal(lifetimes=24, population=24, padded=padded)).batches[0] for padded in (False, True)
    )
    assert not any("2" in kind for kind in padded)
    assert len(set(padded)) < len(set(plain))


def test_the_table_tells_the_initial_bodies_and_the_quarters_of_the_run():
    found = bench_topologies(SMALL, Silent())
    bred = rehearse(SMALL)
    assert found["bodies"]["initial population"] == figures(bred.batches[:1])
    assert found["bodies"]["batches 3 to 3"] == figures(bred.batches[3:])
    assert found["living_topologies"] == bred.living_topologies
    head, *rows = topologies_rows(found)
    assert {len(row) for row in rows} == {len(head)}
    assert len(rows) == len(found["bodies"]) + 2
