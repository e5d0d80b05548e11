"""The flat task with short episodes on Warp's CPU device, with contact cones at which both engines agree."""

import mujoco

from embodied.envs.device_env import DeviceEnv
from embodied.envs.device_vector import DeviceVectorEnv
from morphologies import find_body
from tests.envs.short import ShortFlat

DEVICE = "warp-cpu"


class RoundShortFlat(ShortFlat):
    """Friction cones are elliptic: of pyramids, the engines choose other tangents."""

    def scene(self, bodies):
        scene = super().scene(bodies)
        scene.model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        return scene


class UnalikeShortFlat(RoundShortFlat):
    """Says that its starts are not alike, so that none are drawn ahead."""

    starts_alike = False


def unreset(num_worlds=3, steps=1000, seed=0, task=RoundShortFlat, device=DEVICE):
    """A DeviceEnv: it never resets by itself."""
    return DeviceEnv(task(steps), {"robot": find_body("ant")}, num_worlds, device, seed)


def autoreset(num_worlds=3, steps=1000, seed=0, task=RoundShortFlat, device=DEVICE):
    """The same as learners see it."""
    return DeviceVectorEnv(unreset(num_worlds, steps, seed, task, device))
