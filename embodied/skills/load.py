"""What a run holds, loaded: a policy, or a skill prior."""

from __future__ import annotations

from pathlib import Path

import embodied.learning.load as policies
from embodied.networks import ActorCritic
from embodied.runs.folder import CONFIG, read_run_config
from embodied.skills.ase.prior import PRIOR, load_prior
from embodied.skills.prior import SkillPrior


def load(run: str | Path) -> ActorCritic | SkillPrior:
    """The policy of a run folder or a policy file; of a pre-training's folder, or of a prior file, the skill prior.

    Raises:
        UserError: there is neither, or it is damaged; the message names the file.
    """
    path = Path(run)
    if path.name == PRIOR or ((path / CONFIG).exists() and read_run_config(path)["kind"] == "ase"):
        return load_prior(path)
    return policies.load(path)
