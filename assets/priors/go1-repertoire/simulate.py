"""Simulates the robot of this folder under its policy, on level ground. Needs mujoco; no robot needs it.

    simulation = Simulation(BundledPolicy("this/folder"))
    joint_positions, root_poses = simulation.run(start, given, steps)

``python run_policy.py --simulate`` does it from the recorded starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mujoco
import numpy as np


class Simulation:
    """The robot of the bundle in MuJoCo, on level ground."""

    def __init__(self, policy: Any, model: mujoco.MjModel | None = None) -> None:
        """By default the model is the bundle's own scene."""
        robot, timing = policy.manifest["robot"], policy.manifest["timing"]
        self.policy, self.substeps = policy, timing["simulation_steps"]
        self.model = model or mujoco.MjModel.from_xml_path(str(policy.folder / robot["scene"]))
        self.data = mujoco.MjData(self.model)
        self.root = self.data.joint(robot["root_joint"])
        joints = [self.model.joint(joint["name"]) for joint in robot["joints"]]
        self.positions, self.velocities = [j.qposadr[0] for j in joints], [j.dofadr[0] for j in joints]
        self.actuators = [self.model.actuator(a["name"]).id for a in policy.manifest["action"]["actuators"]]

    def reading(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the instruments read; what they cannot, such as a command, is given."""
        data, found = self.data, dict(given)
        state = {"joint_pos": data.qpos[self.positions], "joint_vel": data.qvel[self.velocities]}
        state |= {"position": self.root.qpos[:3], "orientation": self.root.qpos[3:]}
        state |= {"linear": self.root.qvel[:3], "angular": self.root.qvel[3:]}
        for each in self.policy.manifest["readings"]:
            if each["state"]:
                found[each["name"]] = np.array(state[each["state"]])
            elif each["sensors"]:
                found[each["name"]] = np.concatenate([data.sensor(name).data for name in each["sensors"]])
        return found

    def run(
        self,
        start: Mapping[str, np.ndarray],
        given: Mapping[str, np.ndarray],
        steps: int,
        actions: np.ndarray | None = None,
        watch: Callable[[], Any] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """From a start, with (steps, n) of what is given: (steps, joints) positions and (steps, 7) root poses.

        Where ``actions`` are given, (steps, n), they are taken instead of the policy's; ``watch`` is called after each
        control step.
        """
        data, policy = self.data, self.policy
        mujoco.mj_resetData(self.model, data)
        self.root.qpos[:], self.root.qvel[:] = start["root_pose"], start["root_velocity"]
        data.qpos[self.positions], data.qvel[self.velocities] = start["joint_pos"], start["joint_vel"]
        data.ctrl[self.actuators] = policy.offset  # what the instruments read at first was felt while standing so
        mujoco.mj_forward(self.model, data)
        policy.reset(start["last_action"])
        joints, roots = [], []
        for step in range(steps):
            now = {name: values[step] for name, values in given.items()}
            policy.latent = np.asarray(now.pop("latent", policy.latent), dtype=np.float32)
            observation = policy.observe(self.reading(now))
            action = policy.decide(observation) if actions is None else actions[step]
            data.ctrl[self.actuators] = policy.controls(action)
            for _ in range(self.substeps):
                mujoco.mj_step(self.model, data)
            mujoco.mj_step1(self.model, data)  # the position and velocity stages of the new state
            joints.append(data.qpos[self.positions])
            roots.append(self.root.qpos.copy())
            if watch is not None:
                watch()
        return np.array(joints), np.array(roots)


def told(policy: Any, given: Sequence[Sequence[str]]) -> dict[str, np.ndarray]:
    """Readings by name, from words: name and numbers each; refused where they are none of the policy's."""
    sizes = {each["name"]: each["size"] for each in policy.manifest["readings"] if each["source"] == "given"}
    found = {}
    for name, *words in given:
        if name not in sizes:
            raise ValueError(f"{name} is nothing that is given to it; there is {', '.join(sizes) or 'nothing'}")
        try:
            found[name] = np.array([float(word) for word in words])
        except ValueError:
            found[name] = np.array([np.nan])
        if not np.isfinite(found[name]).all():
            raise ValueError(f"{name} takes finite numbers, not {' '.join(words)}")
        if len(words) != sizes[name]:
            raise ValueError(f"{name} takes {sizes[name]} numbers, not {len(words)}")
    return found


def show(policy: Any, number: int, given: Sequence[Sequence[str]]) -> int:
    """Simulates from a recorded start and says where the robot went; the exit status.

    Args:
        policy: a `BundledPolicy`.
        number: of the start.
        given: what is asked of the robot instead of what was asked then; see `told`.
    """
    asked = told(policy, given)
    with np.load(policy.folder / "closed_loop.npz", allow_pickle=False) as file:
        starts = len(file["root_pose"])
        if not 0 <= number < starts:
            raise ValueError(f"there are the starts 0 to {starts - 1}, and none of number {number}")
        recorded = {name: values[number] for name, values in file.items()}
    start = {name.split("/")[1]: values for name, values in recorded.items() if name.startswith("start/")}
    inputs = {name.split("/")[1]: values for name, values in recorded.items() if name.startswith("given/")}
    steps = len(recorded["root_pose"])
    inputs |= {name: np.tile(values, (steps, 1)) for name, values in asked.items()}
    joints, roots = Simulation(policy).run(start, inputs, steps)
    if not asked:
        off = float(np.abs(joints[: len(recorded["joint_pos"])] - recorded["joint_pos"]).max())
        print(f"first half second: joint positions within {off:.1e} rad of the recorded ones")
    for second, (x, y, z) in enumerate(roots[:: max(1, len(roots) // 10), :3]):
        print(f"{second:2d} s: trunk at ({x:6.2f}, {y:6.2f}, {z:5.2f}) m")
    return 0
