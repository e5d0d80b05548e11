"""Two worlds, the second of which is to be the first one's mirror image: left and right changed at the plane y = 0."""

import mujoco
import numpy as np
import torch

from embodied.physics.cpu import CpuWorld
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.symmetry import TOLERANCE, symmetry_of

POINT = np.array([1.0, -1.0, 1.0])
TURN = -POINT
"""Of axes of rotation."""
QUATERNION = np.array([1.0, -1.0, 1.0, -1.0])


class BeforeAMirror:
    """A body on a floor, in two worlds."""

    def __init__(self, body, tolerance=TOLERANCE, props=None):
        self.scene = Scene(FlatArena(), {"robot": body}, 0.005, 4, props=props)
        self.entity = self.scene.entities["robot"]
        self.symmetry = symmetry_of(self.entity, tolerance)
        self.world = CpuWorld(self.scene, 2, (), 1)
        self.robot = self.entity.view(self.world)

    def reflect(self):
        """Makes the second world the mirror image of the first."""
        for field, value in self.image(0).items():
            self.world.field(field)[1] = torch.from_numpy(value)
        self.world.forward()

    def image(self, world):
        """Positions and velocities of a world, mirrored."""
        model = self.scene.model
        qpos, qvel = (self.world.field(name)[world].numpy().copy() for name in ("qpos", "qvel"))
        mirrored = qpos.copy(), qvel.copy()
        joints = self.symmetry.joints
        for number, joint in enumerate(self.entity.joints):
            partner, sign = self.entity.joints[int(joints.index[number])], float(joints.sign[number])
            mirrored[0][model.jnt_qposadr[joint]] = sign * qpos[model.jnt_qposadr[partner]]
            mirrored[1][model.jnt_dofadr[joint]] = sign * qvel[model.jnt_dofadr[partner]]
        for joint in np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE):
            place, speed = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
            mirrored[0][place : place + 3] = POINT * qpos[place : place + 3]
            mirrored[0][place + 3 : place + 7] = QUATERNION * qpos[place + 3 : place + 7]
            mirrored[1][speed : speed + 3] = POINT * qvel[speed : speed + 3]
            mirrored[1][speed + 3 : speed + 6] = TURN * qvel[speed + 3 : speed + 6]
        return {"qpos": mirrored[0], "qvel": mirrored[1]}

    def begin(self, height, seed=0, spread=0.5, tilt=0.3, speed=1.0):
        """Any state, and its mirror image: every joint somewhere in its range, the root tilted, turned and moving."""
        rng = np.random.default_rng(seed)
        model = self.scene.model
        self.world.reset()
        qpos, qvel = self.world.field("qpos"), self.world.field("qvel")
        for joint in self.entity.joints:
            low, high = model.jnt_range[joint] if model.jnt_limited[joint] else (-1.0, 1.0)
            at = model.jnt_qposadr[joint]
            qpos[0, at] += spread * rng.uniform(low - qpos[0, at], high - qpos[0, at])
        qvel[0] = torch.from_numpy(rng.normal(0.0, speed, model.nv))
        if self.entity.root == "free":
            start = int(model.jnt_qposadr[self.entity.root_joints[0]])
            qpos[0, start : start + 3] = torch.tensor([0.3, 0.7, height])
            turn = np.array([1.0, *rng.normal(0.0, tilt, 2), rng.normal()])
            qpos[0, start + 3 : start + 7] = torch.from_numpy(turn / np.linalg.norm(turn))
        self.reflect()

    def begin_on_the_ground(self):
        """A state near the default pose that just touches the ground."""
        height = self.entity.body.spawn_height
        while True:
            self.begin(height, spread=0.1, tilt=0.05, speed=0.2)
            if int(self.world.field("ncon")[0].sum()):
                return
            height -= 0.01

    def act(self, actions):
        """One control step with actions (n,) in the first world, and with their mirror image in the second."""
        row = torch.as_tensor(actions, dtype=torch.float32)
        self.robot.act(torch.stack((row, self.symmetry.actuators(row))))
        self.world.step(4)

    def difference(self):
        """The largest of how far the second world is from the mirror image of the first."""
        return max(float(np.abs(self.world.field(f)[1].numpy() - v).max()) for f, v in self.image(0).items())
