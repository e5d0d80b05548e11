"""Environments: a task played in a World, batched or for one world, and doors to other libraries."""

from embodied.envs.device_env import DeviceEnv
from embodied.envs.device_vector import DeviceVectorEnv
from embodied.envs.env import Env
from embodied.envs.foreign import ForeignEnv, is_foreign
from embodied.envs.make import make
from embodied.envs.vector import AutoresetEnv

__all__ = ["AutoresetEnv", "DeviceEnv", "DeviceVectorEnv", "Env", "ForeignEnv", "is_foreign", "make"]
