import collections
import dataclasses
import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from morphologies import (
    OPERATORS,
    SPLAYED,
    UNIMAL,
    Genome,
    Hinge,
    Limb,
    MutationFailed,
    apply_operator,
    canonical,
    develop,
    find_body,
    fingerprint,
    from_json,
    groups,
    limb_count,
    mutate,
    random_genome,
    to_json,
    violation,
)
from morphologies.genome import group_at
from morphologies.mutate import applicable
from morphologies.skeleton import instances, twins, twins_overlap
from tests.morphologies.mirror import mirror_error

HINGE = Hinge("y", (-30, 30), 150)


def run_chains(seeds, length, space=UNIMAL):
    """Chains of mutations, every promise checked for every child; returns the operators drawn where all seven were."""
    drawn = collections.Counter()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        genome = random_genome(rng, space)
        for _ in range(length):
            mutation = mutate(genome, rng, space)
            if len(applicable(genome, space)) == len(OPERATORS):
                drawn[next(iter(mutation.failed), mutation.operator)] += 1
            child = mutation.child
            assert child != genome, mutation.operator
            assert fingerprint(child) != fingerprint(genome)
            assert violation(child, space) is None
            assert closest_strangers(child, space) > -1e-9
            assert 2 <= limb_count(child) <= 10
            assert from_json(to_json(child)) == child
            assert mirror_error(child, space, seed) < 1e-9
            genome = child
        assert np.isfinite(develop(genome, space).compile().body_inertia).all()
    return drawn


def closest_strangers(genome, space):
    """Smallest gap, m, between parts that are not parent and child nor twins that overlap: capsule against capsule.

    By sampling both segments, in which MuJoCo has no part. Sampling never understates a gap.
    """
    limbs = instances(genome, space)
    points = np.linspace(0, 1, 33)[:, None]
    segments = [np.zeros((1, 3))] + [limb.origin + points * limb.length * limb.direction for limb in limbs]
    radii = [space.head_radius] + [space.limb_radius] * len(limbs)
    allowed = {(limb.parent + 1, limb.index + 1) for limb in limbs}
    allowed |= {(a.index + 1, b.index + 1) for a, b in twins(limbs) if twins_overlap(a, space)}
    gaps = [np.inf]
    for i, j in itertools.combinations(range(len(segments)), 2):
        if (i, j) not in allowed:
            apart = np.linalg.norm(segments[i][:, None] - segments[j][None], axis=-1).min()
            gaps.append(apart - radii[i] - radii[j])
    return min(gaps)


@pytest.mark.parametrize("space", [UNIMAL, SPLAYED], ids=["unimal", "splayed"])
def test_chains_of_mutations_keep_every_promise(space):
    run_chains(range(30), 8, space)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_ten_thousand_chains_of_mutations_keep_every_promise(block):
    drawn = run_chains(range(1000 * block, 1000 * (block + 1)), 10)
    assert chisquare([drawn[name] for name in OPERATORS]).pvalue > 1e-4


def test_mutation_is_a_pure_function_of_genome_and_generator():
    genome = find_body("hound").genome
    before = to_json(genome)
    one, two = (mutate(genome, np.random.default_rng(7)) for _ in range(2))
    assert one == two
    assert to_json(genome) == before


def test_operators_are_drawn_uniformly():
    rng = np.random.default_rng(0)
    genome = find_body("biped").genome
    drawn = collections.Counter()
    for _ in range(1400):
        mutation = mutate(genome, rng)
        drawn[next(iter(mutation.failed), mutation.operator)] += 1
    assert set(drawn) == set(OPERATORS)
    assert chisquare([drawn[name] for name in OPERATORS]).pvalue > 1e-3


def test_growing_and_deleting_stop_at_the_limits():
    two = Genome(500, 500, (Limb("head", 90, 135, 0.3, (HINGE,), mirrored=True),))
    assert "delete_limb" not in applicable(two, UNIMAL)
    assert "grow_limb" not in applicable(find_body("crab").genome, UNIMAL)
    assert applicable(Genome(500, 500), UNIMAL) == ["grow_limb"]
    with pytest.raises(MutationFailed):
        apply_operator("delete_limb", two, np.random.default_rng(0))


def test_deleting_never_leaves_fewer_than_two_limbs():
    three = Genome(
        500, 500, (Limb("head", 90, 135, 0.3, (HINGE,), mirrored=True), Limb("head", 180, 90, 0.2, (HINGE,)))
    )
    for seed in range(10):
        assert limb_count(apply_operator("delete_limb", three, np.random.default_rng(seed)).child) == 2


def test_deleting_removes_a_leaf_or_a_mirrored_leaf_pair():
    ant = find_body("ant").genome
    for seed in range(10):
        child = apply_operator("delete_limb", ant, np.random.default_rng(seed)).child
        assert limb_count(child) == 6


def test_an_operator_that_fails_says_so_instead_of_returning_the_parent():
    """Defect 9: a failed grow returned the parent, unchanged."""
    full = find_body("crab").genome
    with pytest.raises(MutationFailed, match="grow_limb"):
        apply_operator("grow_limb", full, np.random.default_rng(0))


def test_lengthening_is_tested_for_collision_too():
    """Defect 9: the length operator skipped the test. Here a longer tail would reach the shin it points at."""
    shin = Limb("end", 180, 90, 0.4, (HINGE,))
    leg = Limb("head", 0, 180, 0.4, (HINGE,), limbs=(shin,))
    tail = Limb("head", 180, 90, 0.2, (HINGE,), limbs=(Limb("end", 0, 180, 0.2, (HINGE,)),))
    genome = Genome(500, 500, (leg, tail))
    assert violation(genome, UNIMAL) is None
    too_long = dataclasses.replace(tail, limbs=(Limb("end", 0, 180, 0.4, (HINGE,)),))
    assert "no_self_collision" in violation(Genome(500, 500, (leg, too_long)), UNIMAL)
    rng = np.random.default_rng(0)
    for _ in range(40):
        assert violation(apply_operator("limb_params", genome, rng).child, UNIMAL) is None


def test_each_operator_changes_only_what_it_names():
    rng = np.random.default_rng(5)
    parent = find_body("hound").genome

    def stripped(genome, without):
        def limb(one):
            hinges = tuple(dataclasses.replace(h, **without.get("hinge", {})) for h in one.hinges)
            one = dataclasses.replace(one, hinges=hinges, limbs=tuple(map(limb, one.limbs)))
            return dataclasses.replace(one, **without.get("limb", {}))

        genome = dataclasses.replace(genome, limbs=tuple(map(limb, genome.limbs)))
        return dataclasses.replace(genome, **without.get("genome", {}))

    blind = {
        "limb_params": {"limb": {"height": 0.2}},
        "density": {"genome": {"head_density": 500, "limb_density": 500}},
        "joint_angle": {"hinge": {"range": (0, 0)}},
        "gear": {"hinge": {"gear": 0}},
        "dof": {"limb": {"hinges": ()}},
    }
    for name, ignored in blind.items():
        for _ in range(8):
            child = apply_operator(name, parent, rng).child
            assert canonical(stripped(child, ignored)) == canonical(stripped(parent, ignored)), name


def test_hinge_operators_act_on_all_groups_or_on_one():
    rng = np.random.default_rng(2)
    parent = find_body("kangaroo").genome
    changed = []
    for _ in range(60):
        child = apply_operator("gear", parent, rng).child
        paths = [g.path for g in groups(parent)]
        differing = sum(group_at(child, p).hinges != group_at(parent, p).hinges for p in paths)
        changed.append(differing)
    assert 1 in changed
    assert max(changed) > 2
    assert 15 < changed.count(1) < 50


def test_twins_and_limbs_on_mirrored_limbs_grow_in_pairs():
    rng = np.random.default_rng(4)
    biped = find_body("biped").genome
    on_mirrored = 0
    for _ in range(60):
        child = apply_operator("grow_limb", biped, rng).child
        new = limb_count(child) - limb_count(biped)
        parents = {g.path for g in groups(child) if g.on_mirrored}
        if len(parents) > 2:
            on_mirrored += 1
            assert new == 2
    assert on_mirrored > 5


@pytest.mark.slow
def test_the_hinges_of_random_bodies_have_the_statistics_of_the_space():
    rng = np.random.default_rng(0)
    axes = collections.Counter(
        "".join(h.axis for h in group.limb.hinges) for _ in range(2_000) for group in groups(random_genome(rng))
    )
    total = sum(axes.values())
    for kind in ("x", "y", "xy"):
        assert abs(axes[kind] / total - 1 / 3) < 0.05
