"""Symmetry of bodies, held against physics: what starts as a mirror image and is driven so stays one."""

import dataclasses

import mujoco
import numpy as np
import pytest
import torch

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.flip import Flip
from embodied.scenes.symmetry import NotSymmetric, symmetry_of
from morphologies import Body, find_body
from morphologies.population import random_genome
from tests.scenes.before_a_mirror import BeforeAMirror

EXACT = 1e-9
GENOMES = ("ant", "biped", "crab", "hound", "kangaroo", "tripod")


def drawn(seed):
    return find_body(random_genome(np.random.default_rng(seed)))


def edited(name, edit):
    """A body whose spec is changed by a function."""
    body = find_body(name)

    def spec():
        made = body.spec()
        edit(made)
        return made

    return dataclasses.replace(body, spec=spec)


def centred(name):
    """A robot made exactly symmetric: its trunk's centre of mass in the middle, right links as heavy as left ones."""

    def centre(spec):
        trunk = spec.worldbody.first_body()
        trunk.ipos = [trunk.ipos[0], 0.0, trunk.ipos[2]]
        for body in spec.bodies:
            if body.name[1:3] == "R_":
                twin = spec.body(body.name[0] + "L_" + body.name[3:])
                body.ipos = twin.ipos * [1.0, -1.0, 1.0]
                body.inertia = twin.inertia

    return edited(name, centre)


BODIES = [
    *(pytest.param(find_body(name), EXACT, id=name) for name in GENOMES),
    *(pytest.param(drawn(seed), EXACT, id=f"drawn {seed}") for seed in (0, 1, 3)),
    *(pytest.param(centred(name), 1e-6, id=name) for name in ("go1", "max")),
]


@pytest.mark.parametrize(("body", "tolerance"), BODIES)
def test_a_mirror_image_that_is_driven_as_one_stays_one_in_the_air(body, tolerance):
    mirror = BeforeAMirror(body, tolerance)
    rng = np.random.default_rng(1)
    mirror.begin(height=5.0)
    moved = mirror.world.field("qpos").clone()
    for _ in range(15):
        mirror.act(rng.uniform(-1, 1, len(mirror.entity.actuators)))
        assert mirror.difference() < 1e-6
    assert float((mirror.world.field("qpos") - moved).abs().max()) > 0.1
    assert float((mirror.world.field("qpos")[0] - mirror.world.field("qpos")[1]).abs().max()) > 0.1


@pytest.mark.parametrize(("body", "tolerance"), BODIES)
def test_and_on_the_ground_until_contacts_have_let_rounding_grow(body, tolerance):
    mirror = BeforeAMirror(body, tolerance)
    rng = np.random.default_rng(1)
    mirror.begin_on_the_ground()
    for _ in range(5):
        mirror.act(0.5 * rng.uniform(-1, 1, len(mirror.entity.actuators)))
        assert mirror.difference() < 1e-6


def test_a_planar_body_before_a_mirror_keeps_its_pose_and_changes_legs():
    mirror = BeforeAMirror(find_body("ant", root="planar"), EXACT)
    mirror.begin(height=0.0)
    for _ in range(5):
        mirror.act(np.random.default_rng(2).uniform(-1, 1, 12))
        assert mirror.difference() < 1e-6


@pytest.mark.parametrize("name", ["go1", "max"])
def test_real_robots_are_symmetric_enough(name):
    found = symmetry_of(Scene(FlatArena(), {"robot": find_body(name)}).entities["robot"])
    names = found.entity.joint_names
    sides = {"FR": "FL", "FL": "FR", "RR": "RL", "RL": "RR"}
    for number, joint in enumerate(names):
        partner = names[int(found.joints.index[number])]
        assert partner == sides[joint[:2]] + joint[2:]
        assert float(found.joints.sign[number]) == (-1.0 if "hip" in joint else 1.0)  # hips spread, knees bend
    assert torch.equal(found.joints.index, found.actuators.index)


def build(xml, **changes):
    spec = lambda: mujoco.MjSpec.from_string(xml)  # noqa: E731
    return Scene(FlatArena(), {"robot": Body("made", spec, "free", 0.5, **changes)}).entities["robot"]


LEGS = """
<mujoco><worldbody><body name="trunk"><freejoint/><geom name="trunk" type="box" size=".2 .1 .05"/>
<body name="left" pos="0 .1 0"><joint name="l" axis="{left_axis}" {left}/><geom name="left" type="capsule" size=".02"
fromto="0 0 0 0 .1 -.2"/></body>
<body name="right" pos="0 -.1 0"><joint name="r" axis="{right_axis}" {right}/><geom name="right" type="capsule"
size=".02" fromto="0 0 0 {end}"/></body></body></worldbody><actuator>{motors}</actuator>{more}</mujoco>
"""
MOTORS = '<motor name="ml" joint="l"/><motor name="mr" joint="r"/>'


def legs(left="", right="", left_axis="1 0 0", right_axis="1 0 0", end="0 -.1 -.2", motors=MOTORS, more="", **changes):
    parts = {"left": left, "right": right, "left_axis": left_axis, "right_axis": right_axis, "end": end}
    return build(LEGS.format(**parts, motors=motors, more=more), **changes)


@pytest.mark.parametrize(
    ("axes", "sign"),
    [
        # Turning about x lifts the left leg and lowers the right one; about y both go ahead; about z to the sides.
        (("1 0 0", "1 0 0"), -1.0),
        (("1 0 0", "-1 0 0"), 1.0),
        (("0 1 0", "0 1 0"), 1.0),
        (("0 1 0", "0 -1 0"), -1.0),
        (("0 0 1", "0 0 1"), -1.0),
    ],
)
def test_hinges_follow_by_the_hand_rule(axes, sign):
    found = symmetry_of(legs(left_axis=axes[0], right_axis=axes[1]))
    assert found.joints.index.tolist() == [1, 0]
    assert found.joints.sign.tolist() == [sign, sign]
    assert found.actuators.sign.tolist() == [sign, sign]


@pytest.mark.parametrize(("axes", "sign"), [("1 0 0", 1.0), ("0 1 0", -1.0), ("0 0 1", 1.0)])
def test_slides_follow_their_direction(axes, sign):
    kind = 'type="slide"'
    assert symmetry_of(legs(kind, kind, axes, axes)).joints.sign.tolist() == [sign, sign]


def test_a_motor_that_is_geared_the_other_way_is_driven_the_other_way():
    motors = '<motor name="mr" joint="r" gear="-2"/><motor name="ml" joint="l" gear="2"/>'
    found = symmetry_of(legs(left_axis="0 1 0", right_axis="0 1 0", motors=motors))
    assert found.joints.sign.tolist() == [1.0, 1.0]
    assert found.actuators.index.tolist() == [1, 0]
    assert found.actuators.sign.tolist() == [-1.0, -1.0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"end": "0 -.1 -.25"}, "left is not the mirror image of right: its mass"),
        ({"end": "0 .1 -.2"}, "left is not the mirror image of right: its centre of mass is"),
        ({"right_axis": "1 1 0"}, "joint l: its axis points elsewhere"),
        ({"right": 'type="slide"'}, "joint l: one is a hinge and the other a slide"),
        ({"left": 'type="ball"', "right": 'type="ball"', "motors": ""}, "only hinges and slides"),
        ({"right": 'damping="3"'}, "joint l: its damping differs"),
        ({"right": 'stiffness="3"'}, "joint l: its stiffness differs"),
        ({"right": 'ref="20"'}, "joint l: its angle is counted from another reference"),
        ({"left": 'range="-60 10"', "right": 'range="-60 10"'}, "joint l: its range is -0.1745 to 1.047"),
        ({"motors": '<motor name="ml" joint="l" gear="3"/><motor name="mr" joint="r"/>'}, "actuator ml .* gear is 3"),
        ({"motors": '<motor name="ml" joint="l"/>'}, "actuator ml of made has no mirror image: nothing drives r"),
        ({"motors": MOTORS.replace('"mr"', '"mr" ctrlrange="-1 2" ctrllimited="true"')}, "actuator ml of made"),
        ({"more": '<equality><joint joint1="l" joint2="r"/></equality>'}, "has equality constraints"),
        ({"more": '<tendon><fixed><joint joint="l" coef="1"/></fixed></tendon>'}, "has tendons"),
        ({"pose": {"l": 0.3, "r": 0.3}}, "the default pose of made is not mirror-symmetric: joint l"),
    ],
)
def test_what_is_not_symmetric_is_refused_by_name(changes, said):
    with pytest.raises(NotSymmetric, match=said):
        symmetry_of(legs(**changes))


def test_a_pose_that_is_symmetric_is_not_refused():
    symmetry_of(legs(pose={"l": 0.3, "r": -0.3}))


def test_a_limb_that_one_side_lacks_is_named():
    def lose(spec):
        spec.delete(spec.body("limb/1"))

    with pytest.raises(NotSymmetric, match=r"limb/0|torso/0"):
        symmetry_of(Scene(FlatArena(), {"robot": edited("ant", lose)}).entities["robot"])


def test_a_limb_in_the_middle_that_swings_to_one_side_only_is_named():
    """As the design space allows."""
    with pytest.raises(NotSymmetric, match=r"limb/0 is not its own .* joint limbx/0: its range is 0 to 0\.7854"):
        symmetry_of(Scene(FlatArena(), {"robot": drawn(2)}).entities["robot"])


def test_a_trunk_that_leans_to_one_side_is_named():
    def lean(spec):
        spec.worldbody.first_body().ipos = [0.0, 0.05, 0.0]

    with pytest.raises(NotSymmetric, match=r"trunk is not its own .*: its centre of mass is 100\.0 mm off"):
        symmetry_of(Scene(FlatArena(), {"robot": edited("go1", lean)}).entities["robot"])


MESHES = """
<mujoco><asset><mesh name="a" vertex="0 0 0 .1 0 0 0 .1 0 0 0 .2"/>
<mesh name="b" vertex="0 0 0 .1 0 0 0 -.1 0 0 0 {z}"/></asset>
<worldbody><body name="trunk"><freejoint/><geom type="box" size=".1 .1 .1"/>
<body name="left" pos="0 .1 0"><joint axis="0 1 0"/><geom type="mesh" mesh="a" mass="1"/></body>
<body name="right" pos="0 -.1 0"><joint axis="0 1 0"/><geom type="mesh" mesh="b" mass="1"/></body>
</body></worldbody></mujoco>
"""


def test_meshes_are_compared_corner_by_corner():
    assert symmetry_of(build(MESHES.format(z=".2"))).links.index.tolist() == [0, 2, 1]
    with pytest.raises(NotSymmetric, match="left is not the mirror image of right"):
        symmetry_of(build(MESHES.format(z=".25")))


def test_a_flip_done_twice_changes_nothing():
    flip = Flip.joined([Flip.of([1, 0], -1.0), Flip.of([0, 2, 1], [1.0, -1.0, -1.0])])
    rows = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(flip(flip(rows)), rows)
    assert torch.equal(flip(rows)[:, 0], -rows[:, 1])
    assert torch.equal(flip(rows)[:, 4], -rows[:, 3])


@pytest.mark.parametrize(("index", "sign"), [([1, 2, 0], 1.0), ([1, 0], [1.0, -1.0]), ([0, 0], 1.0)])
def test_what_is_no_mirror_is_refused(index, sign):
    with pytest.raises(ValueError, match="no mirror"):
        Flip.of(index, sign)
