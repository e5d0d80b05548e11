"""What a run or a bundle holds, loaded: a policy, a skill prior, or one of both that was handed over."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import embodied.skills.load as runs
from embodied.export.manifest import is_bundle
from embodied.networks import ActorCritic
from embodied.runs.errors import UserError
from embodied.skills.ase.prior import PRIOR, ASEPrior, load_prior, save_prior
from embodied.skills.prior import SkillPrior

if TYPE_CHECKING:
    from embodied.export.deployed import BundledActor

KEPT = "prior"
"""In the folder of a run that commands a prior from a bundle: its copy of the bundle."""


def load(place: str | Path) -> ActorCritic | SkillPrior | BundledActor:
    """What a place holds, ready to act.

    Args:
        place: a run's folder or a policy file, which give the policy, of a pre-training the skill prior; or a bundle
            of `embodied export`, which gives a `BundledPrior` or a `BundledActor`; or the name of a prior that ships.

    Raises:
        UserError: there is none of them, or it is damaged; the message names the file. Bundles need the extra
            ``export``.
    """
    path = _shipped(Path(place))
    return _opened(path) if is_bundle(path) else runs.load(path)


def find_prior(place: Path) -> SkillPrior:
    """The skill prior of a pre-training, a prior file, or a bundle; or one that ships, by its name.

    Raises:
        UserError: there is none; the message says what there is.
    """
    path = _shipped(place)
    if not is_bundle(path):
        return load_prior(path)
    found = _opened(path)
    if not isinstance(found, SkillPrior):
        raise UserError(f"{path} is the bundle of a policy that decides by itself, and no skill prior")
    return found


def _opened(bundle: Path) -> SkillPrior | BundledActor:
    """A bundle; refused by name where the libraries it needs are not there, before they are imported."""
    from embodied.export.opening import refuse_missing

    refuse_missing(bundle)
    from embodied.export.deployed import deployed

    return deployed(bundle)


def prior_names() -> list[str]:
    """Names of the priors that ship."""
    folder = prior_folder()
    return sorted(path.name for path in folder.iterdir() if is_bundle(path)) if folder.is_dir() else []


def prior_folder() -> Path:
    """Where the shipped priors lie: inside an installed wheel, or in the checkout's ``assets``."""
    installed = Path(str(resources.files("morphologies"))) / "_assets"
    return (installed if installed.is_dir() else Path(__file__).parents[2] / "assets") / "priors"


def _shipped(place: Path) -> Path:
    """The folder of a prior that ships where a name of one is given, and nothing of that name is here."""
    if place.exists() or len(place.parts) != 1:
        return place
    names = prior_names()
    if place.name in names:
        return prior_folder() / place.name
    there = f", and no prior of that name ships; those that do: {', '.join(names)}" if names else ""
    raise UserError(f"there is no file or folder {place}{there}")


def keep_prior(prior: SkillPrior, run: Path) -> None:
    """Puts a copy of the prior that a run commands into its folder, once: the run no longer depends on the original."""
    if isinstance(prior, ASEPrior):
        if not (run / PRIOR).exists():
            save_prior(prior, run / PRIOR)
        return
    from embodied.export.deployed import BundledPrior, laid_down

    if isinstance(prior, BundledPrior) and not is_bundle(run / KEPT):
        laid_down(prior.bundle.files, run / KEPT)


def commands_prior(run: Path) -> bool:
    """Whether a run has a copy of a prior that its policy commands."""
    return (run / PRIOR).exists() or is_bundle(run / KEPT)


def kept_prior(run: Path) -> SkillPrior | None:
    """The prior that a run commands, from its own copy; None for a run that commands none, or has not begun.

    Raises:
        UserError: the copy is damaged.
    """
    if (run / PRIOR).exists():
        return load_prior(run / PRIOR)
    return find_prior(run / KEPT) if is_bundle(run / KEPT) else None
