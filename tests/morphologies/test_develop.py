"""The developed model against closed forms, against its own mirror image, and against MuJoCo's contacts."""

import dataclasses

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphologies import SPLAYED, UNIMAL, Genome, Hinge, Limb, describe, develop, find_body, random_genome
from morphologies.skeleton import instances, mirror_permutation, spawn_height, unit_direction
from tests.morphologies.mirror import compiled, mirror_error

HINGE = Hinge("y", (-30, 30), 150)
LEVEL = Limb("head", 180, 90, 0.2, (HINGE,))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_a_body_is_mirror_symmetric_at_rest_and_when_both_sides_move_alike(seed):
    for space in (UNIMAL, SPLAYED):
        genome = random_genome(np.random.default_rng(seed), space)
        assert mirror_error(genome, space, seed) < 1e-9
        model = compiled(genome, space)
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        assert abs(data.subtree_com[0, 1]) < 1e-9


def test_lengths_masses_and_anchors_follow_the_closed_form():
    model = compiled(Genome(700, 600, (dataclasses.replace(LEVEL, limbs=(Limb("end", 0, 180, 0.4, (HINGE,)),)),)))
    ball = 4 / 3 * np.pi
    assert model.body("torso/0").mass[0] == pytest.approx(700 * ball * 0.1**3)
    segment = 0.05 + 0.2
    assert model.body("limb/0").mass[0] == pytest.approx(600 * (np.pi * 0.05**2 * segment + ball * 0.05**3))
    np.testing.assert_allclose(model.body("limb/0").pos, [-0.10, 0, 0], atol=1e-12)
    np.testing.assert_allclose(model.joint("limby/0").pos, [0.05, 0, 0], atol=1e-12)
    # The child starts one radius below the end of its parent, which is where its hinge is anchored.
    np.testing.assert_allclose(model.body("limb/1").pos, [-0.25, 0, -0.05], atol=1e-12)
    np.testing.assert_allclose(model.site("limb/end/1").pos, [0, 0, -0.45], atol=1e-12)
    assert model.actuator("limby/1").gear[0] == 150
    np.testing.assert_allclose(model.joint("limby/1").range, np.deg2rad([-30, 30]))


def test_hinge_axes_are_those_of_the_compiled_geom_frame():
    hinges = (Hinge("x", (-30, 30), 150), Hinge("y", (-30, 30), 150))
    for theta, phi in UNIMAL.directions(on_mirrored=False, mirrored=True):
        model = compiled(Genome(500, 500, (Limb("head", theta, phi, 0.2, hinges, mirrored=True),)))
        frame = np.zeros(9)
        mujoco.mju_quat2Mat(frame, model.geom("limb/0").quat)
        for column, axis in enumerate("xy"):
            np.testing.assert_allclose(
                model.joint(f"limb{axis}/0").axis, frame.reshape(3, 3)[:, column], atol=1e-9, err_msg=f"{theta} {phi}"
            )


def test_the_lowest_tip_starts_a_fifth_of_a_metre_above_the_ground():
    genome = find_body("ant").genome
    model = compiled(genome)
    data = mujoco.MjData(model)
    data.qpos[2] = spawn_height(genome, UNIMAL)
    mujoco.mj_forward(model, data)
    tips = [data.site(f"limb/end/{i}").xpos[2] - 0.05 for i in range(8)]
    assert min(tips) == pytest.approx(0.2)
    assert spawn_height(Genome(500, 500, (LEVEL,)), UNIMAL) == 0.2


def test_a_tip_lies_one_radius_beyond_the_end_site():
    """Defect 1 of the original: the clearance site lost its radius after a change of length."""
    for height in UNIMAL.heights:
        down = Limb("head", 0, 180, height, (HINGE,))
        assert spawn_height(Genome(500, 500, (down,)), UNIMAL) == pytest.approx(0.2 + 0.1 + 0.05 + height + 0.05)


def test_overlapping_twins_are_excluded_and_nothing_else_is():
    """Defect 6: the excludes a body was accepted with were lost while it learned."""
    trunk = dataclasses.replace(LEVEL, limbs=(Limb("end", 45, 90, 0.2, (HINGE,), mirrored=True),))
    model = compiled(Genome(500, 500, (trunk,)))
    assert model.nexclude == 1
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    assert data.ncon == 0
    # Twins that start apart at the head keep their contacts.
    assert compiled(Genome(500, 500, (Limb("head", 45, 90, 0.2, (HINGE,), mirrored=True),))).nexclude == 0


def test_names_come_from_numbers_not_from_their_digits():
    """Defects 2 and 3: ids compared as strings, or by their last digit."""
    crab = find_body("crab")
    names = [body.name for body in crab.spec().bodies[1:]]
    assert names == ["torso/0", *(f"limb/{i}" for i in range(10))]
    assert mirror_permutation(instances(crab.genome, UNIMAL))[::-1] != list(range(10))
    for i, j in enumerate(mirror_permutation(instances(crab.genome, UNIMAL))):
        assert mirror_permutation(instances(crab.genome, UNIMAL))[j] == i


@pytest.mark.parametrize(("root", "nv"), [("free", 6), ("planar", 3), ("fixed", 0)])
def test_roots_are_free_planar_or_fixed_and_none_collides_at_rest(root, nv):
    for name in ("ant", "crab", "kangaroo"):
        genome = find_body(name).genome
        model = compiled(genome, root=root)
        assert model.nv - model.nu == nv
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        assert data.ncon == 0


def test_an_unknown_root_is_refused():
    with pytest.raises(ValueError, match="floating"):
        develop(find_body("ant").genome, root="floating")


def test_directions_of_the_space_are_seventeen_exact_unit_vectors():
    seen = {tuple(unit_direction(t, p)) for p in UNIMAL.phis for t in UNIMAL.thetas}
    assert len({tuple(np.round(d, 9) + 0.0) for d in seen}) == 17
    for d in seen:
        assert np.linalg.norm(d) == pytest.approx(1.0, abs=1e-12)
    assert unit_direction(180, 90)[1] == 0.0


def test_describe_measures_a_body_laid_out_by_hand():
    description = describe(compiled(Genome(500, 500, (LEVEL,))))
    assert description.limbs == 1
    assert description.motors == description.joints == 1
    assert description.length == pytest.approx(0.1 + 0.1 + 0.25 + 0.05)
    assert description.width == description.height == pytest.approx(0.2)
    assert description.reach == pytest.approx(0.1 + 0.25 + 0.05)
    assert description.strength == pytest.approx(150 / description.mass)
