import collections
import random

import numpy as np

from embodied.evolution.toolbox import Individual, make_toolbox, seeded
from morphologies import find_body


def individuals(count):
    made = [Individual(i, find_body("ant").genome, 0) for i in range(count)]
    for individual in made:
        individual.fitness.values = (float(individual.lifetime),)
    return made


def test_a_tournament_of_four_draws_with_replacement():
    """The winner of 4 draws from n is rank r with probability ((r+1)/n)^4 - (r/n)^4; without replacement the three
    lowest could never win."""
    toolbox, among = make_toolbox(4), individuals(4)
    rng = np.random.default_rng(0)
    with seeded(rng):
        won = collections.Counter(toolbox.select(among, 1)[0].lifetime for _ in range(4000))
    for rank in range(4):
        expected = ((rank + 1) / 4) ** 4 - (rank / 4) ** 4
        assert abs(won[rank] / 4000 - expected) < 0.03


def test_selection_follows_our_generator_and_leaves_pythons_alone():
    toolbox, among = make_toolbox(4), individuals(10)
    random.seed(5)
    before = random.getstate()
    picks = []
    for _ in range(2):
        with seeded(np.random.default_rng(3)):
            picks.append([i.lifetime for i in toolbox.select(among, 8)])
    assert picks[0] == picks[1]
    assert random.getstate() == before
