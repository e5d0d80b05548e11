"""What `train`, `eval` and `play` share about policies that command a skill prior: the run keeps a copy of it."""

from __future__ import annotations

from pathlib import Path

from embodied.export.load import find_prior, kept_prior
from embodied.learning.evaluate import Actor
from embodied.networks import ActorCritic
from embodied.runs.errors import UserError
from embodied.runs.folder import read_run_config
from embodied.skills.command import HeldLatents, hold_of
from embodied.skills.prior import SkillPrior
from embodied.vector_env import VectorEnv


def wanted_prior(prior: Path | None, hold: int | None, style: bool | None, path: Path) -> SkillPrior | None:
    """The prior that a training commands: of a run that is taken up, its own copy.

    Raises:
        UserError: there is none at that place, or what belongs to a prior was given without one.
    """
    if prior is None:
        for name, value in (("hold", hold), ("style", style)):
            if value is not None:
                raise UserError(f"--{name} is for policies that command a skill prior: name one with --prior")
        return None
    return kept_prior(path) or find_prior(prior)


def commanding_actor(policy: ActorCritic, run: Path, env: VectorEnv) -> Actor | None:
    """What a run's policy does through the prior that it commands; None for a policy that acts itself.

    Raises:
        UserError: policy or prior are not for this environment.
    """
    prior = kept_prior(run)
    if prior is None:
        return None
    if not policy.shape.fits(env.observation_space, prior.latent_space):
        raise UserError(f"the policy in {run} is not one for its body: it was trained on another")
    return HeldLatents(policy, prior, hold_of(read_run_config(run)))
