"""The science of tiny families that were made by hand, against answers worked out by hand or by scipy."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from embodied.evolution.archive import clusters_in_use
from embodied.report.diversity import diversity, grid
from embodied.report.history import Curve, read_history
from embodied.report.learning import (
    criterion,
    first_full_episode,
    groups,
    spearman,
    speeds,
    steps_to,
    steps_to_own,
    to_criterion,
    top_shared,
    truncations,
)
from embodied.report.lineage import ancestors, depth, founders, living_founders, spread, takeover
from embodied.report.operators import effects
from embodied.report.science import science
from tests.report.synthetic import write_run


def curve(*values, every=100):
    return [(every * (i + 1), value, value, None if value is None else 10.0) for i, value in enumerate(values)]


FAMILY = [
    {"fitness": 1.0, "curve": curve(0.0, 1.0, 2.0, 4.0)},
    {"fitness": 4.0, "curve": curve(None, 2.0, 4.0, 8.0), "limbs": 5},
    {"status": "failed"},
    {"fitness": 2.0, "curve": curve(None, None, None, None), "limbs": 5},
    {"fitness": 6.0, "parent": 1, "operator": "gear", "curve": curve(6.0, 6.0, 6.0, 6.0), "limbs": 6},
    {"fitness": 3.0, "parent": 1, "operator": "dof", "curve": curve(0.0, 0.0, 3.0, 5.0), "attempts": 3, "limbs": 5},
    {
        "fitness": 9.0,
        "parent": 4,
        "operator": "gear",
        "failed_operators": {"grow_limb": 50, "dof": 50},
        "curve": curve(0.0, 9.0, 12.0, 12.0),
        "limbs": 6,
    },
    {"fitness": 5.0, "parent": 5, "operator": "density", "stopped_at_rung": 0, "curve": curve(1.0, 5.0), "limbs": 2},
    {"status": "running", "parent": 6, "operator": "dof"},
]


@pytest.fixture
def family(tmp_path):
    return read_history(write_run(tmp_path / "run", FAMILY))


def test_failed_and_running_lifetimes_are_told_apart_and_their_steps_counted(family):
    assert [life.id for life in family.lives] == [0, 1, 3, 4, 5, 6, 7]
    assert [life.order for life in family.lives] == list(range(7))
    assert (len(family.failures), family.running) == (1, 1)
    assert family.spent.tolist() == [4096, 8192, 12388, 16484, 20580, 24676, 28772]  # the failed one made 100


def test_the_criterion_is_the_median_of_the_initial_bodies_that_have_a_curve(family):
    assert criterion(family) == 6.0  # of 4 and 8; one never ended an episode, one failed


def test_steps_to_a_level_are_those_of_the_first_point_there():
    rising = Curve(np.array([10, 20, 30]), np.array([np.nan, 5.0, 7.0]))
    assert steps_to(rising, 5.0) == 20
    assert steps_to(rising, 5.1) == 30
    assert steps_to(rising, 8.0) == math.inf
    assert steps_to_own(rising, 30, 0.75) == 30
    assert steps_to_own(rising, 20, 0.75) == 20  # cut earlier, the same body seems to learn faster
    assert steps_to_own(rising, 10, 0.75) == math.inf


def test_bodies_that_never_reach_the_criterion_count_as_later_than_all(family):
    found = {speed.label: speed for speed in speeds(groups(family), to_criterion(family))}
    assert (found["0"].number, found["0"].reached, found["0"].median) == (2 + 1, 1, math.inf)
    assert found["0"].median_of_reached == 400
    assert (found["1"].reached, found["1"].median) == (1, math.inf)  # one of two: the median is not known
    assert found["2"].number == 2
    assert found["2"].median == math.inf  # one was cut short below the criterion


def test_generations_that_all_reach_it_have_a_plain_median(tmp_path):
    lives = [{"curve": curve(0.0, 4.0)}] * 4 + [{"parent": 0, "curve": curve(v, 9.0)} for v in (4.0, 4.0, 0.0, 0.0)]
    found = speeds(groups(history := read_history(write_run(tmp_path, lives))), to_criterion(history))
    assert [speed.median for speed in found] == [200, 150]


def test_a_random_search_is_told_in_stretches_of_its_population(tmp_path):
    history = read_history(write_run(tmp_path, [{}] * 10, population=4, search="random"))
    assert [part.label for part in groups(history)] == ["1–4", "5–8", "9–10"]


def test_truncation_compares_whole_lifetimes_with_themselves(family):
    quarter, half, whole = truncations(family, (0.25, 0.5, 1.0))
    assert whole.correlation == pytest.approx(1.0)
    assert whole.top_shared == whole.top == 6  # the one that was cut short is left out
    # budget 4096, so all points lie within the first quarter of it
    assert quarter.correlation == half.correlation == pytest.approx(1.0)
    assert whole.unseen == pytest.approx(1 / 6)


def test_a_shorter_budget_can_turn_the_ranking_round(tmp_path):
    lives = [{"environment_steps": 400, "curve": curve(4.0 - i, 4.0 - i, i, i)} for i in range(4)]
    quarter, half, whole = truncations(read_history(write_run(tmp_path, lives)), (0.25, 0.5, 1.0))
    assert quarter.correlation == half.correlation == pytest.approx(-1.0)
    assert whole.correlation == pytest.approx(1.0)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=20))
def test_rank_correlation_is_scipys(pairs):
    one, other = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    if np.ptp(one) and np.ptp(other):
        assert spearman(one, other) == pytest.approx(scipy.stats.spearmanr(one, other).statistic)
    else:
        assert math.isnan(spearman(one, other))


def test_the_overlap_of_the_best_is_counted_among_as_many_as_there_are():
    assert top_shared(np.arange(20.0), -np.arange(20.0)) == (0, 10)
    assert top_shared(np.arange(5.0), np.arange(5.0)) == (5, 5)


def test_first_full_episodes_end_after_one_time_limit_in_every_world(family):
    assert first_full_episode(family) == 4 * 1000


def test_the_line_of_the_best_leads_to_its_founder(family):
    assert [life.id for life in ancestors(family, family.best)] == [1, 4, 6]
    assert depth(family) == 2
    assert founders(family) == {0: 0, 1: 1, 3: 3, 4: 1, 5: 1, 6: 1, 7: 1}
    assert living_founders(family) == 1  # the last four all descend from lifetime 1


def test_takeover_shares_add_up_to_one(family):
    found = takeover(family)
    assert np.sum(list(found.shares.values()), axis=0) == pytest.approx(np.ones(7))
    assert found.shares[1].tolist() == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4, 3 / 4, 3 / 4, 1])


def test_a_long_line_keeps_its_ends_and_where_fitness_rose_most(tmp_path):
    lives = [{"fitness": 1.0}] + [{"fitness": f, "parent": i} for i, f in enumerate((2.0, 50.0, 51.0, 90.0, 91.0))]
    history = read_history(write_run(tmp_path, lives))
    assert [life.id for life in spread(ancestors(history, history.best), 4)] == [0, 2, 4, 5]


def test_operators_are_told_by_their_children_less_the_parents(family):
    found = {effect.operator: effect for effect in effects(family)}
    assert sorted(found["gear"].changes) == [2.0, 3.0]
    assert found["gear"].improved == 1.0
    assert (found["dof"].changes.tolist(), found["dof"].attempts, found["dof"].fruitless) == ([-1.0], 53, 1)
    assert (found["grow_limb"].number, found["grow_limb"].attempts, found["grow_limb"].fruitless) == (0, 50, 1)
    assert found["density"].median == 2.0


def test_diversity_over_time_is_that_of_each_moment_alone(family):
    course = diversity(family)
    for end in range(1, 8):
        living = [life.description for life in family.lives[:end][-4:]]
        assert course.clusters[end - 1] == clusters_in_use(living)
    assert course.coverage[-1] == pytest.approx(4 / 72)
    assert course.quality_diversity.tolist() == [1.0, 5.0, 5.0, 11.0, 11.0, 14.0, 19.0]
    best, number = grid(family)
    assert np.nansum(best) == 19.0
    assert number.sum() == 7


def test_figures_are_plain_json_and_say_nothing_where_nothing_is_known(tmp_path, family):
    found = science(family)
    assert found["founders_with_living_descendants"] == 1
    assert found["operators"]["gear"]["improved"] == 1.0
    assert found["steps_to_criterion_by_generation"]["0"]["median"] is None
    one = science(read_history(write_run(tmp_path / "one", [{"curve": []}])))
    assert one["criterion"] is None
    assert one["rank_correlation_half_budget"] is None
    assert one["operators"] == {}
