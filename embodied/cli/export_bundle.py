"""The half of ``embodied export`` that hands policies and skill priors over as bundles, and checks such bundles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from embodied.cli.actors import Given, resolve
from embodied.cli.arguments import parse
from embodied.export.load import commands_prior
from embodied.learning.load import POLICY
from embodied.runs.errors import UserError
from embodied.runs.folder import CONFIG, read_run_config
from embodied.skills.ase.prior import PRIOR
from morphologies import find_body

if TYPE_CHECKING:
    from embodied.export.deployable import Deployable

PRIVATE = (
    "kind",
    "body",
    "robot",
    "motions",
    "prior",
    "teacher",
    "asset_root",
    "genome",
    "device",
    "threads",
    "workers",
    "run",
)
"""Fields of a run's configuration that say where it was made, or what the bundle holds anyway."""


@dataclass(frozen=True)
class Check:
    """Hold a bundle to its checksums, its schema, its test vectors and what the framework did in closed loop."""

    bundle: Positional[Path | None] = None
    """Folder of the bundle."""


def check(arguments: list[str]) -> None:
    """``embodied export check``."""
    from embodied.export.check import judge

    given = parse("export check", Check, arguments, (Check.__doc__ or "").strip())
    if given.bundle is None:
        raise UserError("name a bundle: embodied export check BUNDLE")
    found = judge(given.bundle)
    loop, (median, slow) = found.manifest["closed_loop"], found.decision
    print(
        f"{given.bundle} is whole: {found.files} files as they were written, the manifest as its schema says.\n"
        f"Observations within {found.observation:.1e} and actions within {found.action:.1e} of the framework's on the "
        f"test vectors.\n"
        f"From {loop['starts']} starts joint positions within {found.replayed:.1e} under the framework's actions and "
        f"{found.apart.joint_pos:.1e} under its own, for {loop['compared_seconds']:g} s.\n"
        f"After {loop['seconds']:g} s {100 * found.found.upright:.0f} % upright (the framework's "
        f"{100 * found.recorded.upright:.0f} %), mean speed {found.found.speed:.4f} m/s ({found.recorded.speed:.4f}).\n"
        f"A decision takes {1e3 * median:.3f} ms on one thread, {1e3 * slow:.3f} ms at the 99th percentile."
    )
    if found.returned is not None:
        kept = found.manifest["return"]
        print(f"Mean return of {kept['episodes']} episodes {found.returned:.1f} (the framework's {kept['mean']:.1f}).")
    for note in found.notes:
        print(f"Note: {note}.")


def is_policy(subject: str) -> bool:
    """Whether a subject is the folder of a training that has learned something, which is what one wants of it."""
    path = Path(subject)
    if not (path / CONFIG).is_file() or (path / "genome.json").exists():
        return False
    learned = any((path / name).exists() for name in (POLICY, PRIOR, "checkpoints"))
    return learned and read_run_config(path)["kind"] in ("train", "ase", "imitate")


def write_bundle(subject: str, out: Path, licence: str) -> None:
    """Writes the policy of a run out as a bundle, and says what it is."""
    from embodied.export.bundle import make_bundle
    from embodied.export.deployed import laid_down
    from embodied.export.opening import refuse_missing

    refuse_missing()
    before = _refuse_strangers(out)
    run = Path(subject)
    given = deployable_of(run)
    print(f"Writing the {given.kind} of {run} for {given.body.name} out into {out}", flush=True)
    if given.rewarded:
        print("Its episodes are played three times, twice as it is and once as the bundle: a minute or so", flush=True)
    files, left = make_bundle(given, out.resolve().name, licence)
    out.mkdir(parents=True, exist_ok=True)
    for stale in before:
        if stale not in files:
            (out / stale).unlink(missing_ok=True)
    laid_down(files, out)
    for note in left:
        print(f"  - left out of the URDF: {note}")
    size = sum(map(len, files.values()))
    print(
        f"{len(files)} files, {size / 1e6:.1f} MB\nRead first  {out / 'README.md'}\n"
        f"Check       embodied export check {out}"
    )


def deployable_of(run: Path) -> Deployable:
    """What of a run can be handed over.

    Raises:
        UserError: nothing; see `resolve`, and `load_prior`.
    """
    from embodied.export.deployable import trained_policy
    from embodied.export.skills import FINDERS, commanding_policy

    config = read_run_config(run) if (run / CONFIG).exists() else {}
    if config.get("kind") in FINDERS:
        if not isinstance(config.get("robot"), str):
            raise UserError(f"{run / CONFIG} is damaged: it names no robot")
        return FINDERS[config["kind"]](run, find_body(config["robot"]), config, training_of(run, run))
    found = resolve(Given(), run)
    if found.body is not None and config.get("kind") == "train" and commands_prior(run):
        return commanding_policy(run, found.body, config, training_of(run, run))
    if found.body is None or found.policy is None:
        raise UserError(f"{run} was trained on {found.task}, whose body is its own and cannot be handed over")
    return trained_policy(found.policy, found.body, found.task, training_of(run, found.policy))


def _refuse_strangers(out: Path) -> list[str]:
    """Paths of an earlier bundle in a folder.

    Raises:
        UserError: it is a file, or holds anything else.
    """
    from embodied.export.manifest import read_bundle

    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; choose another folder with --out")
    if not out.is_dir() or not any(out.iterdir()):
        return []
    try:
        return list(read_bundle(out)[1])
    except UserError:
        raise UserError(f"{out} is not empty and no whole bundle; choose another --out") from None


def training_of(run: Path, policy: Path) -> dict[str, Any]:
    """What a manifest says of how a policy was trained.

    Args:
        run: the folder that was named.
        policy: the one that its policy lies in: the same, or that of a lifetime.
    """
    home = next(p for p in (run, *run.resolve().parents) if (p / CONFIG).exists())
    config = read_run_config(home)
    evaluation = policy / "evaluation.json"
    finished = (policy / (PRIOR if config["kind"] == "ase" else POLICY)).exists()
    checkpoints = sorted(path.name for path in (policy / "checkpoints").glob("[0-9]*") if path.name.isdecimal())
    steps = config.get("steps") if finished or not checkpoints else int(checkpoints[-1])
    told = {name: value for name, value in config.items() if name not in PRIVATE}
    return {
        "steps": steps if isinstance(steps, int) else None,
        "seed": config.get("seed"),
        # Numbers that are none go out as words, which JSON holds.
        "configuration": json.loads(json.dumps(told, default=str), parse_constant=str),
        "evaluation": _evaluation(evaluation) if evaluation.exists() else None,
    }


def _evaluation(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(), parse_constant=str)
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UserError(f"{file} is damaged; remove it and go on with --resume")
    return found
