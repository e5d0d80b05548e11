"""Deployable: what is handed over, whatever it was trained by: networks, the task they act in, and who acts there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from embodied.export.networks import Network, policy_network
from embodied.export.readings import LAST_ACTION
from embodied.export.robot import ActionMeaning
from embodied.learning.load import load
from embodied.networks import ActorCritic
from embodied.senses import Term
from embodied.tasks import Task, find_task
from embodied.tasks.velocity import Velocity
from embodied.vector_env import Observation
from morphologies import Body

Act = Callable[[Observation, int], tuple[Tensor, Tensor | None]]
"""From observations (W, …) at a control step to actions (W, n), and the latents (W, L) that they followed, if any."""


@dataclass(frozen=True)
class Deployable:
    """What a bundle is made of."""

    kind: str
    """``policy`` or ``prior``."""
    body: Body
    task: str
    """Name of the task it was trained in."""
    play: Callable[[], Task]
    """A fresh task to record it in: level ground, physics as they are, instruments without errors."""
    networks: Callable[[dict[str, tuple[Term, ...]]], tuple[Network, ...]]
    """In the order in which they decide, from the terms of the task's observation groups."""
    actor: Callable[[int], Act]
    """Who acts in so many worlds, begun anew."""
    training: dict[str, Any]
    """How it was made: plain data."""
    data: tuple[dict[str, str], ...] = ()
    """Motion clips it was made from: name, licence and source of each."""
    meaning: ActionMeaning | None = None
    """What actions are, where they are not what `EntityView.act` makes of them."""
    latent: dict[str, Any] | None = None
    """Of a prior: what its latents are, and how they are drawn."""
    rewarded: bool = False
    """Whether it decides by itself, and its task rewards that and can be made again from its name: there are returns
    to compare."""
    notes: tuple[str, ...] = ()
    """Sentences for who runs it."""


def trained_policy(run: Path, body: Body, task: str, training: dict[str, Any]) -> Deployable:
    """The policy of a run of `embodied train`, or of a lifetime.

    Args:
        run: folder or policy file.
        body: that it was trained on.
        task: name of the task.
        training: how.
    """
    policy = load(run)
    return Deployable(
        kind="policy",
        body=body,
        task=task,
        play=lambda: plain_task(task),
        networks=lambda terms: (policy_network(policy, terms),),
        actor=lambda worlds: _mean(policy),
        training=training,
        rewarded=True,
    )


def _mean(policy: ActorCritic) -> Act:
    @torch.no_grad()
    def act(observation: Observation, step: int) -> tuple[Tensor, None]:
        return policy(observation)[0].mean, None

    return act


def plain_task(name: str) -> Task:
    """The task without what is drawn to make policies robust, and on level ground."""
    task = find_task(name)
    return Velocity(terrain="flat", randomise=False) if isinstance(task, Velocity) else task


def action_limit(terms: tuple[Term, ...]) -> float | None:
    """Magnitude to which a task cuts actions: what its observation shows of them at most; None where it shows none.

    Tasks that show the last action show it as it was taken, cut to the term's limit.
    """
    found = [term.limit for term in terms if term.name == LAST_ACTION]
    return found[0] if found else None
