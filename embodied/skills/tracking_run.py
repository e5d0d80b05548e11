"""What a run of ``embodied pretrain imitate`` began with: its robot, its clips, what was chosen of its task.

Who evaluates, films, reports or hands over such a run reads it here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embodied.motion.files import clip_files
from embodied.motion.library import MotionLibrary
from embodied.runs.configuration import from_plain
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.folder import CONFIG, read_run_config
from embodied.skills.tracking import TrackingConfig
from morphologies import Body, find_body

KIND = "imitate"
"""Of such a run."""
CLIPS = "clips.json"
"""In the run's folder: the clips it learns from, with a checksum each."""
EVALUATION = "evaluation.json"
"""In the run's folder, once it is finished: how well every clip is tracked."""


@dataclass(frozen=True)
class TrackingRun:
    """What a run began with."""

    body: Body
    library: MotionLibrary
    config: TrackingConfig


def tracking_run(path: Path) -> TrackingRun:
    """What a run began with.

    Raises:
        UserError: the folder holds no such run, its configuration is damaged, or its clips are others now.
        MotionError: its clips are gone.
    """
    plain = read_run_config(path)
    if plain.get("kind") != KIND:
        raise UserError(f"{path} holds a run of {plain.get('kind')!r}, and no imitation")
    config = from_plain(TrackingConfig, plain.get("tracking", {}), f"{path / CONFIG}: tracking", TrackingConfig())
    if not isinstance(plain.get("robot"), str):
        raise UserError(f"{path / CONFIG} is damaged: it names no robot")
    body = find_body(plain["robot"])
    places = places_of(plain, body)
    hold_to_clips(path / CLIPS, places)
    return TrackingRun(body, MotionLibrary.load(places, robot=body.name), config)


def places_of(config: Mapping[str, Any], body: Body) -> tuple[str, ...]:
    """Where the clips of a run lie; those that ship for its robot where its configuration names none.

    Raises:
        UserError: the configuration was changed to something else.
    """
    named = config.get("motions") or []
    if not (isinstance(named, list) and all(isinstance(place, str) for place in named)):
        raise UserError(f"the run's config.yaml is damaged: motions is {named!r:.60}, and no list of folders")
    return tuple(named) or (body.name,)


def hold_to_clips(path: Path, places: Sequence[str]) -> None:
    """Notes which clips a run learns from; raises UserError where it began with others."""
    files = [file for place in places for file in clip_files(place)]
    found = {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    if not path.exists():
        write_atomically(path, json.dumps(found, indent=2) + "\n")
        return
    try:
        began: dict[str, str] = dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        raise UserError(f"{path} is damaged: it names no clips") from None
    other = sorted(name for name in {*began, *found} if began.get(name) != found.get(name))
    if other:
        raise UserError(
            f"{path.parent} began with other clips ({', '.join(other[:3])}{' …' if len(other) > 3 else ''} differ): "
            "give it those, or choose another --out"
        )
