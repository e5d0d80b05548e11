"""Who waits for what, and who is bred together."""

import dataclasses

import numpy as np
import pytest

from embodied.evolution.breeding import SAME_TOPOLOGY, Breeding
from embodied.evolution.buckets import Waiting, interrupted_buckets, note, shares
from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.ledger import Birth
from embodied.evolution.search import make_search
from embodied.evolution.toolbox import Individual, make_fitness, make_toolbox
from morphologies import find_body, from_json
from morphologies.topology import aligned, topology
from tests.morphologies.kin import KIN


def born(number, kind="a"):
    return Birth(number, None, 0, None, 1, {}, kind, "", 0)


def numbers(births):
    return [birth.id for birth in births]


def waiting_for(kinds, least=2, most=3, singles=True):
    waiting = Waiting(least, most, singles, lambda birth: birth.genome or None)
    waiting.add(born(number, kind) for number, kind in enumerate(kinds))
    return waiting


def test_shares_count_bodies_not_topologies():
    assert shares("aaab") == {2: 0.75, 4: 0.0, 8: 0.0, 16: 0.0}
    assert shares("a" * 8 + "bb") == {2: 1.0, 4: 0.8, 8: 0.8, 16: 0.0}
    assert shares("") == {2: 0.0, 4: 0.0, 8: 0.0, 16: 0.0}


def test_enough_of_a_kind_are_a_bucket_and_the_others_wait_alone():
    waiting = waiting_for("abacbd")
    assert len(waiting) == 6
    assert numbers(waiting.bucket()) == [0, 2]
    assert numbers(waiting.bucket()) == [1, 4]
    assert waiting.bucket() == []
    assert [numbers(waiting.single()) for _ in range(3)] == [[3], [5], []]


def test_the_largest_bucket_goes_first_and_too_large_ones_are_split_evenly():
    waiting = waiting_for("bb" + "a" * 7, most=4)
    assert [len(bucket) for bucket in waiting.buckets] == [2, 4, 3]
    assert [len(waiting.bucket()) for _ in range(3)] == [4, 3, 2]


def test_buckets_put_together_anew_after_one_has_gone_keep_their_order():
    """As a resumed run does with those who had not begun: the ledger must not depend on when it was stopped."""
    kinds = "abaabaabaaba"
    waiting = waiting_for(kinds, most=4)  # two halves of one kind, and another kind, all of four
    whole = [numbers(waiting.bucket()) for _ in range(3)]
    assert [len(bucket) for bucket in whole] == [4, 4, 4]
    for gone in (1, 2):
        left = Waiting(2, 4, True, lambda birth: birth.genome)
        lived = {number for bucket in whole[:gone] for number in bucket}
        left.add(born(number, kind) for number, kind in enumerate(kinds) if number not in lived)
        assert [numbers(left.bucket()) for _ in range(3 - gone)] == whole[gone:]


def test_a_body_of_no_topology_lives_alone():
    assert waiting_for(["", "", "a"]).buckets == []


def test_without_cpu_workers_everybody_is_in_a_bucket():
    waiting = waiting_for("aab", singles=False)
    assert [numbers(bucket) for bucket in waiting.buckets] == [[0, 1], [2]]
    assert waiting.single() == []


def test_whoever_is_idle_takes_from_the_others():
    waiting = waiting_for("aaabbcd")
    assert numbers(waiting.single_of_bucket()) == [3]  # of the smallest; the one that is left is no bucket any more
    assert numbers(waiting.singles) == [5, 6, 4]
    assert numbers(waiting.single_as_bucket()) == [4]
    assert numbers(waiting.single_of_bucket()) == [0]
    assert [numbers(bucket) for bucket in waiting.buckets] == [[1, 2]]
    assert [numbers(waiting_for("").single_of_bucket()), numbers(waiting_for("").single_as_bucket())] == [[], []]


def test_a_bucket_is_found_again_only_if_all_of_it_was_running(tmp_path):
    births = [born(number) for number in range(5)]
    for bucket in (births[:2], births[2:4]):
        note(tmp_path, bucket)
    assert [numbers(b) for b in interrupted_buckets(tmp_path, births)] == [[0, 1], [2, 3]]
    assert [numbers(b) for b in interrupted_buckets(tmp_path, births[1:])] == [[2, 3]]
    (tmp_path / "buckets" / "000002" / "members.json").write_text("[2, ")
    assert interrupted_buckets(tmp_path, births[1:]) == []


def breeding_of(**changes):
    config = EvolveConfig(lifetimes=200, population=3, batch=60, **changes)
    toolbox = make_toolbox(config.tournament)
    search = make_search(config, toolbox)
    for number, genome in enumerate((*KIN, find_body("ant").genome)):
        search.remember(Individual(number, genome, 2, float(number), {}, make_fitness(("fitness",), {"fitness": 0.0})))
    return Breeding(config, toolbox, search)


def test_bred_together_children_are_those_bred_one_by_one_with_their_limbs_aligned():
    breeding = breeding_of()
    for together, alone in zip(breeding.many(range(3, 15)), map(breeding.one, range(3, 15)), strict=True):
        assert from_json(together.genome) == aligned(from_json(alone.genome))
        assert dataclasses.replace(together, genome="") == dataclasses.replace(alone, genome="")


def test_a_brood_shares_a_parent_where_operators_change_numbers_alone():
    births = breeding_of(brood=5).many(range(3, 63))
    alike = [birth for birth in births if birth.operator in SAME_TOPOLOGY]
    assert len(alike) > 20
    for start in range(0, len(alike) - 5, 5):
        brood = alike[start : start + 5]
        assert len({birth.parent for birth in brood}) == 1
        assert len({topology(from_json(birth.genome)) for birth in brood}) == 1
    assert len({birth.fingerprint for birth in births}) > 50


def test_broods_leave_every_operator_and_all_other_parents_as_they_would_have_been():
    plain, broods = (breeding_of(brood=brood).many(range(3, 63)) for brood in (1, 4))
    assert [birth.operator for birth in broods] == [birth.operator for birth in plain]
    alike = [number for number, birth in enumerate(plain) if birth.operator in SAME_TOPOLOGY]
    followers = {number for place, number in enumerate(alike) if place % 4}
    for number, (one, two) in enumerate(zip(plain, broods, strict=True)):
        assert one == two or number in followers


def test_initial_bodies_are_bred_together_like_one_by_one():
    breeding = breeding_of()
    assert [birth.fingerprint for birth in breeding.many(range(3))] == [breeding.one(n).fingerprint for n in range(3)]
    assert np.all([birth.generation == 0 and birth.parent is None for birth in breeding.many(range(3))])


@pytest.mark.parametrize("search", ["random", "map-elites"])
def test_other_searches_breed_together_too(search):
    config = EvolveConfig(lifetimes=9, population=2, search=search, brood=3)
    toolbox = make_toolbox(4)
    chooser = make_search(config, toolbox)
    fitness = make_fitness(("fitness",), {"fitness": 1.0})
    chooser.remember(Individual(0, KIN[0], 0, 1.0, {"limbs": 5, "height": 0.5}, fitness))
    births = Breeding(config, toolbox, chooser).many(range(2, 8))
    assert all((birth.parent is None) == (search == "random") for birth in births)
