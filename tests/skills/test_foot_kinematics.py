"""Where feet are, against MuJoCo's own kinematics."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.skills.foot_kinematics import FootKinematics
from morphologies import find_body


@pytest.mark.parametrize("robot", ["go1", "max"])
def test_feet_are_where_mujoco_has_them_for_any_joints(robot):
    scene = Scene(FlatArena(), {"robot": find_body(robot)})
    entity = scene.entities["robot"]
    joints = np.random.default_rng(0).uniform(-2.0, 2.0, (20, len(entity.joints)))
    found = FootKinematics(entity)(torch.from_numpy(joints)).numpy()
    data = mujoco.MjData(scene.model)
    feet = [entity.bodies[entity.link_names.index(foot)] for foot in entity.body.feet]
    root = entity.bodies[0]
    for row, angles in enumerate(joints):
        data.qpos[3:7] = np.random.default_rng(row).normal(size=4)
        data.qpos[[scene.model.jnt_qposadr[j] for j in entity.joints]] = angles
        mujoco.mj_kinematics(scene.model, data)
        expected = (data.xpos[feet] - data.xpos[root]) @ data.xmat[root].reshape(3, 3)
        np.testing.assert_allclose(found[row], expected, atol=1e-12)


def test_feet_of_many_poses_keep_the_shape_they_came_in():
    kinematics = FootKinematics(Scene(FlatArena(), {"robot": find_body("go1")}).entities["robot"])
    joints = torch.randn(3, 5, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = kinematics(joints)
    assert found.shape == (3, 5, 4, 3)
    assert torch.equal(found[1, 2], kinematics(joints[1, 2]))
    assert kinematics(joints.float()).dtype == torch.float32
