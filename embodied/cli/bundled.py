"""What `eval` does with a bundle: its networks act in the framework's own task, as the run's policy does there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from embodied.cli.actors import Given, Subject
from embodied.envs import AutoresetEnv
from embodied.learning.evaluate import Actor
from embodied.learning.limits import refuse_impossible_seed
from embodied.runs.errors import UserError
from embodied.vector_env import Observation
from morphologies import find_body


def bundled(given: Given, place: Path) -> tuple[Subject, Callable[[AutoresetEnv], Actor]]:
    """The task and body that a bundle is for, and what gives who acts in an environment of them.

    Args:
        given: ``body`` names its robot, where that is none that goes by a name here.
        place: the bundle's folder.

    Raises:
        UserError: it is damaged; it is a prior, which no task was set; or task or robot are not those here.
    """
    from embodied.export.opening import refuse_missing

    refuse_missing(place)
    from embodied.export.deployed import BundledActor, deployed
    from embodied.export.fitting import refuse_no_task, refuse_other_groups, robot_of

    refuse_impossible_seed(given.seed)
    if given.task:
        raise UserError(f"{place} has a task of its own: leave --task out")
    found = deployed(place)
    if not isinstance(found, BundledActor):
        raise UserError(
            f"{place} is a skill prior: it waits for latents and was set no task, so there is no return to tell. "
            f"Train a policy that commands it, embodied train --task heading --prior {place}, and evaluate that"
        )
    manifest = found.bundle.manifest
    refuse_no_task(manifest, str(place))
    named = None if given.body is None else find_body(given.body, asset_root=given.asset_root)
    body = robot_of(manifest, str(place), named)

    def acting(env: AutoresetEnv) -> Actor:
        refuse_other_groups(found.observation_spec, env.observation_spec.groups, place)

        def act(observation: Observation) -> Tensor:
            return found(observation).to(env.device)

        return act

    return Subject(found.task, body, place), acting
