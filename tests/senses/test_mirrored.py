"""Mirrored observations against observations of mirrored worlds."""

import math

import numpy as np
import pytest
import torch

from embodied.scenes.arrays import HostArrays
from embodied.scenes.flip import Flip
from embodied.scenes.props import box, mark
from embodied.scenes.symmetry import NotSymmetric
from embodied.senses import ObservationSpec, Term
from embodied.senses.body_velocity import Gyro, Velocimeter
from embodied.senses.foot_contacts import FootContacts
from embodied.senses.goals import GoalPosition
from embodied.senses.gravity import ProjectedGravity
from embodied.senses.heading_frame import AlongHeading, along
from embodied.senses.height_map import HeightMap, regular_grid
from embodied.senses.history import History
from embodied.senses.joint_deviations import JointDeviations
from embodied.senses.joints import JointVelocities
from embodied.senses.mirrored import mirrored_terms, register_mirror
from embodied.senses.objects import ObjectState
from embodied.senses.proprioception import proprioception
from embodied.senses.rays import DepthCamera, Lidar
from embodied.senses.remembered import Remembered
from embodied.senses.root_height import RootHeight
from morphologies import find_body
from tests.scenes.before_a_mirror import BeforeAMirror
from tests.scenes.test_symmetry import centred


def assert_mirrored(mirror, senses, atol=1e-5):
    """Of the two worlds, the second must show the flip of what the first shows."""
    spec = ObservationSpec({"all": senses}, torch.device("cpu"))
    rows = spec.read()["all"]
    expected = mirrored_terms(mirror.symmetry, spec.groups["all"])(rows[:1])[0]
    for name, place in spec.slices("all").items():
        np.testing.assert_allclose(rows[1, place], expected[place], rtol=1e-5, atol=atol, err_msg=name)
    assert not torch.allclose(rows[0], rows[1], atol=1e-3)


def drive(mirror, steps=3):
    """Into some motion, up to a moment at which something touches the ground."""
    rng = np.random.default_rng(0)
    mirror.begin_on_the_ground()
    touched = 0.0
    while steps > 0 or touched == 0.0:
        mirror.act(rng.uniform(-0.5, 0.5, len(mirror.entity.actuators)))
        touched = float(mirror.robot.sensor(*(f"touch/{link}" for link in mirror.entity.link_names)).max())
        steps -= 1


@pytest.mark.parametrize("name", ["ant", "biped", "hound", "kangaroo", "tripod"])
def test_proprioception_of_a_mirrored_body(name):
    mirror = BeforeAMirror(find_body(name), 1e-9)
    drive(mirror)
    assert_mirrored(mirror, proprioception(mirror.robot))


def test_everything_a_robot_measures_of_itself():
    mirror = BeforeAMirror(centred("go1"), 1e-6)
    drive(mirror)
    robot = mirror.robot
    action = torch.randn(1, 12, generator=torch.Generator().manual_seed(0))
    actions = torch.cat((action, mirror.symmetry.actuators(action)))
    # Asked to go ahead, to the left and to turn left; in the mirror ahead, to the right and to turn right.
    command = torch.tensor([[0.5, 0.2, 0.7], [0.5, -0.2, -0.7]])
    senses = [
        *(Gyro(robot), Velocimeter(robot), ProjectedGravity(robot), JointDeviations(robot), JointVelocities(robot)),
        *(FootContacts(robot), Remembered(Term("last_action", 12, "1", 100.0), actions)),
        Remembered(Term("command", 3, "m/s, rad/s", 10.0), command),
    ]
    assert_mirrored(mirror, senses)
    assert_mirrored(mirror, proprioception(robot))


def test_goals_and_objects():
    mirror = BeforeAMirror(find_body("ant"), 1e-9, {"goal": mark(0.5), "thing": box(0.2, 1.0)})
    views = {name: mirror.scene.entities[name].view(mirror.world) for name in ("goal", "thing")}
    everywhere = torch.ones(2, dtype=torch.bool)
    for name, (x, y, z) in {"goal": (4.0, 3.0, 0.0), "thing": (1.5, -2.0, 1.0)}.items():
        views[name].put(torch.tensor([[x, y, z], [x, -y, z]], dtype=torch.float64), everywhere)
    thing = views["thing"].root_velocity
    thing[0] = torch.tensor([0.3, -0.5, 0.1, 1.0, 2.0, -3.0])
    mirror.begin(height=0.6)
    assert_mirrored(mirror, [GoalPosition(mirror.robot, views["goal"])])
    assert_mirrored(mirror, [ObjectState(mirror.robot, views["thing"], views["goal"])])


class Waves:
    """Ground in waves that run askew; in the second world their mirror image."""

    def heights(self, places):
        side = torch.tensor([1.0, -1.0], dtype=places.dtype).view(2, *[1] * (places.dim() - 2))
        return torch.sin(2.0 * places[..., 0]) * torch.cos(side * places[..., 1] * 3.0 + 0.4)

    def height(self, places):
        return self.heights(places)

    def window(self, centre, heading, along, across):
        x, y = torch.meshgrid(along, across, indexing="ij")
        c, s = (f(heading)[:, None, None] for f in (torch.cos, torch.sin))
        places = torch.stack((c * x - s * y, s * x + c * y), dim=-1) + centre[:, None, None]
        return self.heights(places).float()


@pytest.mark.parametrize("grid", [None, regular_grid(0.5, 1.0, 0.7, 0.1)], ids=["thinned", "regular"])
def test_the_height_map_of_mirrored_ground(grid):
    mirror = BeforeAMirror(find_body("ant"), 1e-9)
    mirror.begin(height=0.6)
    assert_mirrored(mirror, [HeightMap(mirror.robot, Waves(), grid)])


def test_rays_among_mirrored_things():
    mirror = BeforeAMirror(find_body("ant"), 1e-9, {"thing": box(0.6, 1.0)})
    thing = mirror.scene.entities["thing"].view(mirror.world)
    thing.put(torch.tensor([[2.0, 1.3, 0.6], [2.0, -1.3, 0.6]], dtype=torch.float64), torch.tensor([True, True]))
    mirror.begin(height=0.6, tilt=0.02)
    assert_mirrored(mirror, [Lidar(mirror.robot, mirror.world, rays=60)], atol=1e-3)
    camera = DepthCamera(mirror.robot, mirror.world, 24, 16, math.radians(100))
    assert_mirrored(mirror, [camera], atol=1e-3)


def test_a_term_that_nobody_has_spoken_of_is_refused_and_can_be_told():
    mirror = BeforeAMirror(find_body("ant"))
    term = Term("smell", 2, "1", 1.0)
    with pytest.raises(NotSymmetric, match="'smell' in a mirror; register_mirror"):
        mirrored_terms(mirror.symmetry, [term])
    register_mirror("smell", lambda symmetry, term: Flip.of([1, 0]))
    assert mirrored_terms(mirror.symmetry, [term])(torch.tensor([1.0, 2.0])).tolist() == [2.0, 1.0]
    register_mirror("smell", lambda symmetry, term: Flip.of([0]))
    with pytest.raises(NotSymmetric, match="'smell' has 1 numbers and the term 2"):
        mirrored_terms(mirror.symmetry, [term])


def test_feet_that_count_on_one_side_only_are_refused():
    mirror = BeforeAMirror(centred("go1"))
    with pytest.raises(NotSymmetric, match="FR_foot of go1 counts; its mirror image FL_foot does not"):
        mirror.symmetry.among(("FR_foot", "RR_foot", "RL_foot"))


def test_histories_and_goals_along_a_heading():
    mirror = BeforeAMirror(centred("go1"), 1e-6)
    robot = mirror.robot
    felt = (JointDeviations(robot), JointVelocities(robot), Gyro(robot), ProjectedGravity(robot))
    history = History(felt, 2, HostArrays(), 2)
    drive(mirror)
    history.shift()
    drive(mirror)
    history.shift()
    way = np.array([[[1.0, 0.6, 0.2]], [[1.0, -0.6, 0.2]]])
    goal = AlongHeading(robot, (along("goal_offset", "m", 10.0),), lambda: way)
    assert_mirrored(mirror, [*history.senses, RootHeight(robot), goal])


def test_references_of_several_moments_are_mirrored_each():
    symmetry = BeforeAMirror(centred("go1"), 1e-6).symmetry
    terms = [Term(f"reference_{what}", 2 * size, "m", 1.0) for what, size in _REFERENCES.items()]
    given = torch.randn(1, 2 * (3 + 3 + 12), generator=torch.Generator().manual_seed(0))
    found = mirrored_terms(symmetry, terms)(given)[0]
    np.testing.assert_allclose(found[:6], given[0, :6] * torch.tensor([1.0, -1.0, 1.0] * 2))
    np.testing.assert_allclose(found[6:12], given[0, 6:12] * torch.tensor([-1.0, 1.0, -1.0] * 2))
    for start in (12, 24):
        np.testing.assert_allclose(found[start : start + 12], symmetry.joints(given[:, start : start + 12])[0])


_REFERENCES = {"position": 3, "rotation": 3, "joints": 12}
