"""Worlds in which everything is put by hand, to compare rewards, ends and metrics with hand-computed numbers."""

import torch

from embodied.envs import AutoresetEnv, Env
from embodied.tasks import find_task
from morphologies import find_body
from morphologies.develop import Root


class Placed:
    """One task in a few worlds; nothing moves but by hand."""

    def __init__(self, task, body="ant", num_worlds=1, seed=0, root: Root = "free"):
        self.env = Env(find_task(task), {"robot": find_body(body, root=root)}, num_worlds, seed)
        self.task, self.world = self.env.task, self.env.world
        self.everywhere = torch.ones(num_worlds, dtype=torch.bool)

    def view(self, name="robot"):
        return self.env.scene.entities[name].view(self.world)

    def put(self, name="robot", x=None, y=None, z=None, quat=None, world=None):
        """Moves an entity; what is not given stays."""
        view = self.view(name)
        mask = self.everywhere if world is None else torch.arange(self.env.num_worlds) == world
        pose = view.root_pose.clone()
        for axis, value in zip((0, 1, 2, slice(3, 7)), (x, y, z, quat), strict=True):
            if value is not None:
                pose[:, axis] = torch.as_tensor(value, dtype=pose.dtype)
        if view.entity.mocap >= 0:
            view.put(pose[:, :3], mask)
        else:
            view.set_root_pose(pose, mask)
        self.world.forward()

    def begin(self):
        """Begins an episode from where things lie."""
        self.task.begin(self.everywhere)

    def reward(self, term, world=0):
        """The term of a step that led to where things lie now."""
        return float(self.task.rewards()[term][world])

    def terms_of(self, actions):
        """The terms after an action, by name, without any motion."""
        self.task.act(actions)
        return self.task.rewards()

    def ended(self, world=0):
        return bool(self.task.terminated()[world])

    def metric(self, name, world=0):
        return float(self.task.metrics()[name][world])

    def observation(self, group, world=0):
        return self.env.spec.read()[group][world].double().numpy()

    def standing_height(self):
        return self.env.scene.entities["robot"].body.standing_height


def learners(task, body="ant", num_worlds=2, seed=0):
    """The task as learners see it."""
    return AutoresetEnv(Env(find_task(task), {"robot": find_body(body)}, num_worlds, seed))


def throw_out(env, world, **place):
    """Puts one world's robot of a learners' environment somewhere, usually where its episode ends."""
    robot = env.env.scene.entities["robot"].view(env.world)
    pose = robot.root_pose.clone()
    for axis, value in place.items():
        pose[:, "xyz".index(axis)] = value
    robot.set_root_pose(pose, torch.arange(env.num_worlds) == world)
    env.world.forward()


def idle(env):
    """Zero actions."""
    return torch.zeros(env.num_worlds, *env.action_space.shape)
