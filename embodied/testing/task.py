"""What every Task promises, seen from the environment that plays it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from embodied.envs import make
from embodied.tasks import Task
from morphologies import Body


def check_task(make_task: Callable[[], Task], body: str | Body | None = None, steps: int = 60) -> None:
    """Asserts that a task is repeatable, stays in its spaces, says what it asks, and can be taken up at any step.

    Args:
        make_task: gives a fresh task each time.
        body: as for `make`.
        steps: control steps to play.
    """
    task = make_task()
    assert task.name
    assert task.agents
    assert task.episode_steps > 0
    one, two = (make(make_task(), body, num_worlds=3, seed=seed) for seed in (1, 2))
    low, high = torch.from_numpy(one.action_space.low), torch.from_numpy(one.action_space.high)
    generator = torch.Generator().manual_seed(0)
    actions = [low + (high - low) * torch.rand(3, len(low), generator=generator) for _ in range(steps)]
    first, again = one.reset(seed=7)[0], two.reset(seed=7)[0]
    stored = None
    played: list[torch.Tensor] = []
    info: dict = {}
    for step, action in enumerate(actions):
        for name, group in first.items():
            assert torch.equal(group, again[name]), f"group {name} differs between two runs of one seed"
            assert group.dtype == torch.float32
            for world in group:
                assert one.observation_space[name].contains(world.numpy()), f"group {name} left its space"
        if step == steps // 2:
            stored = one.state_dict()
        first, reward, terminated, truncated, info = one.step(action)
        again = two.step(action)[0]
        assert reward.shape == terminated.shape == truncated.shape == (3,)
        assert not bool((terminated & truncated).any()), "an episode either terminated or was truncated"
        total = torch.stack(tuple(info["terms"].values())).sum(dim=0).float()
        assert torch.allclose(reward, total), "the reward is the sum of its terms"
        assert info["final_obs"].keys() == first.keys()
        played.append(reward)
    _check_mask(make_task, body)
    if task.fitness_term is not None:
        assert task.fitness_term in info["terms"], f"{task.fitness_term} is no term of the reward"
    assert stored is not None
    one.load_state_dict(stored)
    for action, reward in zip(actions[steps // 2 :], played[steps // 2 :], strict=True):
        assert torch.equal(one.step(action)[1], reward), "taking up a stored state changed what followed"
    one.close()
    two.close()


def _check_mask(make_task: Callable[[], Task], body: str | Body | None) -> None:
    """A reset touches the worlds of its mask and no others."""
    env = make(make_task(), body, num_worlds=3, seed=5).env
    for _ in range(3):
        env.advance(torch.zeros(3, *env.action_space.shape))
    before = env.state_dict()
    env.reset(torch.tensor([False, True, False]))
    after = env.state_dict()
    for name, value in before.items():
        if name != "generator":
            assert torch.equal(value[[0, 2]], after[name][[0, 2]]), f"a reset of world 1 changed {name} of the others"
    env.close()
