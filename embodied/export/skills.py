"""What was learned from motion clips, to be handed over: skill priors, what commands them, tracking policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from embodied.export.deployable import Act, Deployable, plain_task
from embodied.export.deployed import BundledPrior
from embodied.export.errors import BundleError
from embodied.export.load import kept_prior
from embodied.export.networks import DECODER, Network, decoder_network, high_level_network, policy_network
from embodied.export.robot import ActionMeaning
from embodied.learning.load import load
from embodied.motion.library import MotionLibrary
from embodied.networks import ActorCritic
from embodied.runs.configuration import from_plain
from embodied.runs.errors import UserError
from embodied.runs.folder import CONFIG, read_run_config
from embodied.senses import Term
from embodied.skills.ase.latents import LatentSchedule
from embodied.skills.ase.prior import ASEPrior, load_prior
from embodied.skills.command import hold_of
from embodied.skills.prior import SkillPrior
from embodied.skills.tracking import TrackingConfig, TrackingTask
from embodied.skills.tracking_run import places_of
from embodied.tasks.skilled import SkilledTask
from embodied.vector_env import Observation
from morphologies import Body

SAMPLING = "Draw as many standard normal numbers and divide them by their length: uniform on the unit sphere."


class AtLiberty(SkilledTask):
    """Nothing is asked and nothing rewarded: a robot stands in its default pose and does what its skills make it do."""

    name = "at_liberty"

    def rewards(self) -> dict[str, Tensor]:
        """None."""
        self.note_step()
        return {"nothing": torch.zeros(self.world.num_worlds, dtype=torch.float64)}


def skill_prior(run: Path, body: Body, config: Mapping[str, Any], training: dict[str, Any]) -> Deployable:
    """The prior of a pre-training, to be commanded through its latent.

    Args:
        run: its folder.
        body: of its robot.
        config: the run's configuration.
        training: how it was made.
    """
    prior = load_prior(run)
    longest = _longest(config)

    def actor(worlds: int) -> Act:
        schedule = LatentSchedule(worlds, prior.policy.shape.latent, longest, torch.Generator().manual_seed(0))
        never = torch.zeros(worlds, dtype=torch.bool)

        def act(observation: Observation, step: int) -> tuple[Tensor, Tensor]:
            latent = schedule.latent.clone()
            schedule.advance(never)
            return prior.decode(observation, latent)[0], latent

        return act

    return Deployable(
        kind="prior",
        body=body,
        task="motion",
        play=AtLiberty,
        networks=lambda terms: (_decoder(prior, terms),),
        actor=actor,
        training=training,
        data=clips_of(config, body),
        latent=latent_of(prior, longest),
    )


def commanding_policy(run: Path, body: Body, config: Mapping[str, Any], training: dict[str, Any]) -> Deployable:
    """The policy of a training on a prior, with the prior.

    Args:
        run: its folder, which has a copy of the prior.
        body: of the prior's robot.
        config: the run's configuration.
        training: how it was made.
    """
    prior = kept_prior(run)
    if prior is None:
        raise BundleError(run, "holds no copy of the prior that its policy commands")
    found = commanded_prior(prior, load(run), str(config["task"]), body, hold_of(config), training)
    if isinstance(prior, BundledPrior):
        told = prior.bundle.manifest
        return replace(found, data=tuple(told["training"]["data"]), latent=told["latent"])
    pretraining = Path(str(config.get("prior")))
    origin = read_run_config(pretraining) if (pretraining / CONFIG).is_file() else {}
    if origin.get("kind") != "ase":
        return replace(found, notes=("The clips that the prior was made from are not known here.",))
    return replace(found, data=clips_of(origin, body), latent=latent_of(prior, _longest(origin)))


def commanded_prior(
    prior: SkillPrior, policy: ActorCritic, task: str, body: Body, hold: int, training: dict[str, Any]
) -> Deployable:
    """A high-level policy with the prior that it commands.

    Args:
        prior: frozen.
        policy: its actions are latents.
        task: name of the one it was trained on.
        body: of the prior's robot.
        hold: control steps that a latent is held.
        training: how it was made.
    """

    def actor(worlds: int) -> Act:
        latent = torch.zeros(worlds, *prior.latent_space.shape)

        @torch.no_grad()
        def act(observation: Observation, step: int) -> tuple[Tensor, None]:
            nonlocal latent
            if step % hold == 0:
                latent = prior.project(policy(observation)[0].mean)
            return prior.decode(observation, latent)[0], None

        return act

    return Deployable(
        kind="prior",
        body=body,
        task=task,
        play=lambda: plain_task(task),
        networks=lambda terms: (high_level_network(policy, terms, hold), _decoder(prior, terms)),
        actor=actor,
        training=training,
        latent=latent_of(prior),
        rewarded=True,
    )


def tracking_policy(run: Path, body: Body, config: Mapping[str, Any], training: dict[str, Any]) -> Deployable:
    """A policy that does what a clip does.

    Args:
        run: its folder.
        body: of its robot.
        config: the run's configuration.
        training: how it was made.
    """
    policy = load(run)
    chosen = from_plain(TrackingConfig, config.get("tracking", {}), f"{run}: tracking", TrackingConfig())
    library = library_of(config, body)

    @torch.no_grad()
    def act(observation: Observation, step: int) -> tuple[Tensor, None]:
        return policy(observation)[0].mean, None

    return Deployable(
        kind="policy",
        body=body,
        task="tracking",
        play=lambda: TrackingTask(library, chosen),
        networks=lambda terms: (policy_network(policy, terms),),
        actor=lambda worlds: act,
        training=training,
        data=clips_of(config, body),
        meaning=ActionMeaning(chosen.action_scale, "reference_target" if chosen.about == "reference" else None),
    )


def _decoder(prior: SkillPrior, terms: Mapping[str, tuple[Term, ...]]) -> Network:
    for group, wanted in prior.observation_spec.items():
        if [replace(term, shape=()) for term in terms.get(group, ())] != [replace(term, shape=()) for term in wanted]:
            raise BundleError(DECODER, f"reads a group {group} that is another than that of its task")
    if isinstance(prior, BundledPrior):
        return prior.network(terms)
    if isinstance(prior, ASEPrior):
        return decoder_network(prior)
    raise BundleError(DECODER, f"is a {type(prior).__name__}, of which it is not known how to write it as ONNX")


def latent_of(prior: SkillPrior, longest: int | None = None) -> dict[str, Any]:
    """What a manifest says of latents, which were held for less than ``longest`` control steps in training."""
    held = None if longest is None else [1, max(1, longest - 1)]
    return {"size": prior.latent_space.shape[0], "space": "unit_sphere", "sampling": SAMPLING, "held_steps": held}


def _longest(config: Mapping[str, Any]) -> int:
    ase = config.get("ase")
    longest = ase.get("longest_skill") if isinstance(ase, dict) else None
    if not isinstance(longest, int):
        raise UserError("the run's config.yaml is damaged: it names no ase.longest_skill")
    return longest


def library_of(config: Mapping[str, Any], body: Body) -> MotionLibrary:
    """The clips that a run learned from."""
    return MotionLibrary.load(places_of(config, body), robot=body.name)


def clips_of(config: Mapping[str, Any], body: Body) -> tuple[dict[str, str], ...]:
    """Name, licence and source of each clip."""
    clips = library_of(config, body).clips
    return tuple({"name": clip.name, "licence": clip.licence, "source": clip.source} for clip in clips)


FINDERS: dict[str, Callable[[Path, Body, Mapping[str, Any], dict[str, Any]], Deployable]] = {
    "ase": skill_prior,
    "imitate": tracking_policy,
}
"""By the kind of a run."""
