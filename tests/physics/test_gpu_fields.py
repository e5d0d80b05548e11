"""Contacts with height fields on the GPU World: those that cannot be are undone, and those that are stay.

The engine beside which they are held is MuJoCo's own, on the host. 2,048 capsules lie every which way about a step of
14 cm, from free in the air to deep in the ground.
"""

from types import SimpleNamespace

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics.gpu import GpuWorld
from tests.physics.gpu_worlds import DEVICE

WORLDS = 2048
RISE, CELL, SAMPLES = 0.14, 0.05, 41
SHALLOW = 0.01
"""Depth, m, up to which both engines are asked for the same contact: at rest a robot's foot is a millimetre deep."""
NOTHING = 1.0
"""Stands for the distance of a body that touches nothing, m."""


def staircase():
    """A field of 2 x 2 m with a step up at x = 0, and a capsule that nothing pulls."""
    spec = mujoco.MjSpec()
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.gravity = (0.0, 0.0, 0.0)
    flat = np.zeros(SAMPLES * SAMPLES, dtype=np.float32)
    spec.add_hfield(name="step", nrow=SAMPLES, ncol=SAMPLES, size=[1, 1, 1, 1], userdata=flat)
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname="step")
    body = spec.worldbody.add_body(name="stick")
    body.add_freejoint()
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=[0.05, 0.13, 0])
    model = spec.compile()
    heights = np.where(np.arange(SAMPLES) * CELL - 1 > 0.001, RISE, 0.0) * np.ones((SAMPLES, 1))
    model.hfield_data[:] = heights.ravel()
    return model


def placed():
    """(W, 7) Poses of capsules about the step."""
    rng = np.random.default_rng(0)
    turn = rng.normal(size=(WORLDS, 4))
    place = rng.uniform((-0.15, -0.5, 0.0), (0.15, 0.5, 0.4), (WORLDS, 3))
    return np.column_stack((place, turn / np.linalg.norm(turn, axis=1)[:, None]))


@pytest.fixture(scope="module")
def expected():
    """(W,) Distance of MuJoCo's deepest contact, m."""
    model = staircase()
    data, found = mujoco.MjData(model), []
    for pose in placed().astype(np.float32):
        data.qpos[:] = pose
        mujoco.mj_fwdPosition(model, data)
        found.append(min([*data.contact.dist, NOTHING]))
    return np.array(found)


def stepped(sieve=True):
    """A World after one time step from those poses, and (W,) the distance of each one's deepest contact, m."""
    world = GpuWorld(SimpleNamespace(model=staircase()), WORLDS, device=DEVICE, contacts=8)
    if not sieve:
        world._held.callback.contactfilter = None
    world.field("qpos").copy_(torch.from_numpy(placed()))
    world.step(1)
    count = int(world._data.nacon.numpy()[0])
    owner, dist = world._data.contact.worldid.numpy()[:count], world._data.contact.dist.numpy()[:count]
    deepest = np.full(WORLDS, NOTHING)
    np.minimum.at(deepest, owner, dist)
    return world, deepest


@pytest.fixture(scope="module")
def sieved():
    world, deepest = stepped()
    yield world, deepest
    world.close()


def test_a_body_that_touches_nothing_is_left_alone(sieved, expected):
    world, deepest = sieved
    clear = expected == NOTHING
    assert clear.sum() > 400
    assert (deepest[clear] == NOTHING).all()
    assert world.field("qvel")[torch.from_numpy(clear)].abs().max() == 0.0


def test_a_body_that_touches_the_ground_does_so_as_deep_as_in_mujoco(sieved, expected):
    _, deepest = sieved
    shallow = (expected < 0) & (expected > -SHALLOW)
    assert shallow.sum() > 25
    apart = np.abs(deepest - expected)[shallow]
    assert (apart < 1e-4).mean() > 0.9
    assert apart.max() < SHALLOW, "none has lost its last contact, and none is pulled or thrown"


def test_contacts_undone_are_counted_and_end_nothing(sieved):
    world, _ = sieved
    undone = world.warnings["falsecontact"]
    assert undone > 50
    assert int(world.counters["contacts_undone"]) == undone
    ended = sum(count for name, count in world.warnings.items() if name != "falsecontact")
    assert int(world.unhealthy.sum()) == ended == world.warnings.get("hfieldfull", 0)


def test_the_engine_still_makes_contacts_that_cannot_be(expected):
    """If this fails, an engine has been mended and the sieve can go."""
    world, deepest = stepped(sieve=False)
    shallow = expected > -SHALLOW
    wrong = shallow & (deepest < np.minimum(expected, 0) - SHALLOW)
    assert wrong.any()
    assert "falsecontact" not in world.warnings
    world.close()
