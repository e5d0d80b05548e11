"""Topology: equal exactly where the compiled models have one structure."""

from dataclasses import replace

import mujoco
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from morphologies import Genome, Hinge, Limb, fingerprint, mutate, random_genome, violation
from morphologies.develop import develop
from morphologies.topology import aligned, topology
from morphologies.unimal import UNIMAL
from tests.morphologies.kin import KIN, drifting

STRUCTURE = (
    *("body_parentid", "body_jntnum", "body_geomnum", "jnt_type", "jnt_limited", "jnt_bodyid", "geom_type"),
    *("geom_bodyid", "geom_contype", "geom_conaffinity", "geom_condim", "site_type", "site_bodyid", "dof_parentid"),
    *("actuator_trntype", "actuator_trnid", "actuator_gaintype", "actuator_biastype", "sensor_type", "sensor_objid"),
    *("sensor_refid", "sensor_dim", "exclude_signature", "M_rownnz", "M_colind"),
)
"""Model fields that worlds of one model share, as far as a genome has a say in them."""


def structure(genome):
    model = develop(aligned(genome)).compile()
    return [np.asarray(getattr(model, name)).tolist() for name in STRUCTURE]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_topologies_are_equal_exactly_where_models_have_one_structure(one, two):
    rng = np.random.default_rng((one, two))
    first = random_genome(rng)
    for second in (mutate(first, rng).child, random_genome(rng)):
        assert (topology(first) == topology(second)) == (structure(first) == structure(second))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_aligning_changes_nothing_but_the_order_of_siblings(seed):
    rng = np.random.default_rng(seed)
    genome = mutate(random_genome(rng), rng).child
    ordered = aligned(genome)
    assert fingerprint(ordered) == fingerprint(genome)
    assert topology(ordered) == topology(genome)
    assert aligned(ordered) == ordered
    assert violation(ordered, UNIMAL) is None


def test_operators_that_change_numbers_keep_the_topology():
    for seed in range(3):
        assert len({topology(genome) for genome in drifting(seed, 6)}) == 1


def hinge(axis="y"):
    return Hinge(axis, (-30, 30), 150)


def test_a_pair_and_two_single_limbs_are_one_topology():
    pair = Genome(500, 500, (Limb("head", 90, 90, 0.2, (hinge(),), mirrored=True),))
    singles = Genome(900, 500, tuple(Limb("head", theta, 90, 0.3, (hinge("x"),)) for theta in (0, 180)))
    assert topology(pair) == topology(singles) == "11"
    assert structure(pair) == structure(singles)


def test_a_pair_that_overlaps_where_it_grows_is_told_apart():
    """At 45 degrees down and sideways the twins' origins are a limb's diameter apart: they may touch for ever."""
    apart = Limb("head", 90, 90, 0.2, (hinge(),), mirrored=True)
    joined = replace(apart, theta=45, phi=135)
    assert [topology(Genome(500, 500, (limb,))) for limb in (apart, joined)] == ["11", "1=1"]
    assert develop(Genome(500, 500, (joined,))).compile().nexclude == 1


def test_hinges_and_trees_are_written_out():
    assert {topology(genome) for genome in KIN} == {"12(1)2(1)"}
    assert topology(Genome(500, 500)) == ""


def test_what_differs_between_kin_can_differ_between_worlds():
    """None of it is a whole number, such as an index or a kind."""
    one, two, _ = (develop(aligned(genome)).compile() for genome in KIN)
    for name in dir(one):
        value = getattr(one, name)
        if isinstance(value, np.ndarray) and not np.array_equal(value, getattr(two, name)):
            assert value.dtype == np.float64 or name.endswith(("sameframe", "map")), name
    assert one.nv == two.nv == 6 + 7
    assert mujoco.mj_id2name(one, mujoco.mjtObj.mjOBJ_JOINT, 1) != ""
