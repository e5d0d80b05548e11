"""A policy that commands a prior, as an actor: the same as in a LatentEnv."""

import pytest
import torch

from embodied.envs import make
from embodied.envs.latent import LatentEnv
from embodied.networks import ActorCritic, PolicyConfig, PolicyShape
from embodied.runs.errors import UserError
from embodied.skills.command import HOLD, HeldLatents, hold_of
from tests.skills.ase.small import trainer


def test_an_actor_that_holds_latents_does_what_the_policy_does_in_a_latent_env():
    trained = trainer(iterations=1)
    prior = trained.prior()
    trained.env.close()
    plain, wrapped = (make("heading", "go1", 3, seed=0, threads=1) for _ in range(2))
    env = LatentEnv(wrapped, prior, 4)
    shape = PolicyShape.for_spaces(env.observation_space, env.action_space, PolicyConfig(hidden=(8,)))
    policy = ActorCritic(shape, torch.Generator().manual_seed(2))
    actor = HeldLatents(policy, prior, 4)
    (one, _), (two, _) = plain.reset(seed=3), env.reset(seed=3)
    on = torch.ones(3, dtype=torch.bool)
    for _ in range(2):
        with torch.no_grad():
            two, reward, terminated, *_ = env.step(policy(two)[0].mean)
        total = torch.zeros(3)
        for _ in range(4):
            with torch.no_grad():
                one, each, *_ = plain.step(actor(one))
            total += each / 4
        on &= ~terminated
        assert on.any()
        for name, group in one.items():
            assert torch.equal(group[on], two[name][on]), name
        assert torch.allclose(total[on], reward[on], atol=1e-6)
    plain.close()
    env.close()


@pytest.mark.parametrize("hold", [0, -1, "x", [1], 2.5])
def test_a_hold_that_is_none_is_refused(hold):
    assert hold_of({"hold": 3}) == 3
    assert hold_of({}) == hold_of({"hold": None}) == HOLD
    with pytest.raises(UserError, match="no number of control steps"):
        hold_of({"hold": hold})
