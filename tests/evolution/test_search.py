import collections
import random

import numpy as np
import pytest

from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.search import MapElites, Nsga2, Tournament, make_search, seeded
from embodied.evolution.toolbox import Individual, make_fitness, make_toolbox
from morphologies import find_body

ANT = find_body("ant").genome


def individual(number, score=None, limbs=4, height=0.5, objectives=("fitness",), **figures):
    """One that lived, as good as its number unless a score is given."""
    score = float(number) if score is None else score
    description = {"limbs": limbs, "height": height}
    fitness = make_fitness(objectives, {"fitness": score, **figures, **description})
    return Individual(number, ANT, 0, score, description, fitness)


def test_a_tournament_of_four_draws_with_replacement():
    """The winner of 4 draws from n is rank r with probability ((r+1)/n)^4 - (r/n)^4; without replacement the three
    lowest could never win."""
    search = Tournament(make_toolbox(4), window=4)
    for number in (9, 8, 0, 1, 2, 3):  # the two best have aged out
        search.remember(individual(number))
    rng = np.random.default_rng(0)
    won = collections.Counter(search.parent(rng).lifetime for _ in range(4000))
    assert set(won) == {0, 1, 2, 3}
    for rank in range(4):
        expected = ((rank + 1) / 4) ** 4 - (rank / 4) ** 4
        assert abs(won[rank] / 4000 - expected) < 0.03


def test_selection_follows_our_generator_and_leaves_pythons_alone():
    toolbox = make_toolbox(4)
    among = [individual(number) for number in range(10)]
    random.seed(5)
    before = random.getstate()
    picks = []
    for _ in range(2):
        with seeded(np.random.default_rng(3)):
            picks.append([i.lifetime for i in toolbox.select(among, 8)])
    assert picks[0] == picks[1]
    assert random.getstate() == before


def test_nsga2_keeps_the_pareto_front_and_lets_its_extremes_win():
    """Fitness against energy: 0 to 3 lie on the front, 4 and 5 are each dominated."""
    objectives = ("fitness", "cost_of_transport")
    points = {0: (1.0, 1.0), 1: (2.0, 2.0), 2: (3.0, 3.0), 3: (4.0, 4.0), 4: (1.0, 4.0), 5: (2.0, 2.5)}
    search = Nsga2(population=4)
    for number in (4, 0, 5, 3, 1, 2):
        fitness, cost = points[number]
        search.remember(individual(number, fitness, objectives=objectives, cost_of_transport=cost))
    rng = np.random.default_rng(0)
    won = collections.Counter(search.parent(rng).lifetime for _ in range(2000))
    assert set(won) == {0, 1, 2, 3}
    assert min(won[0], won[3]) > max(won[1], won[2])  # nobody lies beyond them: the least crowded


@pytest.mark.parametrize("objectives", [("fitness",), ("speed",), ("fitness", "limbs"), ("fitness", "speed", "limbs")])
def test_nsga2_takes_one_objective_or_several(objectives):
    search = Nsga2(population=3)
    for number in range(8):
        search.remember(individual(number, objectives=objectives, speed=float(number)))
    assert search.parent(np.random.default_rng(0)).lifetime >= 5


def test_a_body_without_a_figure_is_the_worst_in_it():
    objectives = ("cost_of_transport",)
    dear = individual(0, objectives=objectives, cost_of_transport=1e9)
    never_moved = individual(1, objectives=objectives, cost_of_transport=None)
    assert dear.fitness.dominates(never_moved.fitness)


def test_map_elites_draws_evenly_from_the_best_of_each_cell():
    search = MapElites()
    for number, (score, limbs) in enumerate([(1.0, 3), (5.0, 3), (2.0, 3), (-1.0, 7), (0.5, 9)]):
        search.remember(individual(number, score, limbs=limbs))
    rng = np.random.default_rng(0)
    won = collections.Counter(search.parent(rng).lifetime for _ in range(3000))
    assert set(won) == {1, 3, 4}
    assert all(abs(count - 1000) < 120 for count in won.values())


@pytest.mark.parametrize("search", ["tournament", "nsga2", "map-elites"])
def test_a_search_told_again_stands_where_it_stood(search):
    config = EvolveConfig(search=search, population=5)
    told = [individual(n, float(n * 7 % 11), limbs=2 + n % 9) for n in range(30)]
    draws = []
    for _ in range(2):
        made = make_search(config, make_toolbox(4))
        for one in told:
            made.remember(one)
        rng = np.random.default_rng(4)
        draws.append([made.parent(rng).lifetime for _ in range(20)])
    assert draws[0] == draws[1]


def test_random_search_has_no_parents():
    assert make_search(EvolveConfig(search="random"), make_toolbox(4)).parent(np.random.default_rng(0)) is None
