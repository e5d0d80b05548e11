"""Every task on Warp's CPU device. Its kernels take minutes to compile where they never were."""

import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

import embodied
from embodied.tasks import task_names
from embodied.tasks.velocity import Velocity
from embodied.testing.device_rules import DeviceRules
from tests.envs.short import actions_for

STEPS = 20
"""More than between two draws of starts."""


def played(env):
    """Plays on, all episodes ending on the way; gives the last step's results. Nothing is read in between."""
    first, *rest = actions_for(env, STEPS + 1)
    env.reset(seed=3)
    env.step(first)  # views of fields are made when they are first asked for
    ended = 0
    with DeviceRules("cpu"):
        for step, actions in enumerate(rest):
            if step == STEPS // 2:
                env.episode_length.fill_(env.episode_steps - 1)
            observation, reward, *_, info = env.step(actions)
            ended = ended + info["finished"]
    assert bool((ended > 0).all())
    assert torch.isfinite(reward).all()
    for name, group in observation.items():
        assert group.shape == (env.num_worlds, *env.observation_space[name].shape)
        assert torch.isfinite(group).all()
    assert not any(
        int(count) for name, count in env.counters.items() if name not in ("starts_reused", "solver_stopped")
    )


@pytest.mark.slow
@pytest.mark.parametrize("task", task_names())
def test_every_task_is_played_on_a_device_without_reading_anything(task):
    env = embodied.make(task, num_worlds=3, device="warp-cpu", seed=1)
    played(env)
    env.close()


def test_randomised_physics_go_along_with_a_start_and_so_do_the_constants_derived_from_them():
    env = embodied.make(Velocity(), num_worlds=3, device="warp-cpu", seed=1)
    played(env)
    world = env.world
    assert len(torch.unique(world.parameters["body_mass"].sum(dim=1))) == 3
    kept = {name: value.clone() for name, value in world.constants.items()}
    assert "body_invweight0" in kept
    world.refresh_constants()
    for name, value in world.constants.items():
        torch.testing.assert_close(value, kept[name], msg=name)
    env.close()
