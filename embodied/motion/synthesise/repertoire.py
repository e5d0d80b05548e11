"""Repertoire: all motions that ship, by name, and what makes each; those with a side come as mirror images too."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.synthesise import gaits
from embodied.motion.synthesise import posture_clips as postures
from embodied.motion.synthesise.gait_clips import excursion, steady
from embodied.motion.synthesise.jumps import Jump, leap
from embodied.motion.synthesise.plan import Plan, mirrored
from embodied.motion.synthesise.quadruped import Quadruped, read_quadruped
from embodied.motion.synthesise.realise import realise
from morphologies import Body

Make = Callable[[Quadruped], Plan]

ALIKE: dict[str, Make] = {
    "stand": postures.standing,
    "walk": partial(steady, gait=gaits.WALK, seconds=4.5),
    "trot": partial(steady, gait=gaits.TROT, seconds=4.0),
    "trot_fast": partial(steady, gait=gaits.FLYING_TROT, seconds=4.0),
    "pace": partial(steady, gait=gaits.PACE, seconds=4.0),
    "bound": partial(steady, gait=gaits.BOUND, seconds=4.0),
    "creep": partial(steady, gait=gaits.CREEP, seconds=5.5),
    "back_up": partial(steady, gait=gaits.AMBLE, seconds=4.0, ahead=-0.6),
    "walk_and_stop": partial(excursion, gaits=[gaits.WALK], seconds_each=4.5),
    "jog_and_stop": partial(excursion, gaits=[gaits.JOG], seconds_each=3.5),
    "walk_jog_walk": partial(excursion, gaits=[gaits.WALK, gaits.JOG, gaits.WALK], seconds_each=2.8),
    "crouch": postures.crouching,
    "shake": postures.shaking,
    "sit": postures.sitting_down,
    "sit_still": postures.sitting,
    "rise": postures.rising_from_sit,
    "lie": postures.lying_down,
    "rest": postures.lying,
    "get_up": postures.getting_up,
    "play_bow": postures.bowing,
    "jump_up": partial(leap, jump=Jump(0.5)),
    "jump_forward": partial(leap, jump=Jump(0.4, far=1.9, nose_up=0.26, early=0.06)),
}
"""Clips without a side."""

LEFT: dict[str, Make] = {
    "gallop": partial(steady, gait=gaits.GALLOP, seconds=4.0),
    "turn": partial(steady, gait=gaits.AMBLE, seconds=4.0, ahead=0.0, turns=np.pi, lively=0.0),
    "circle": partial(steady, gait=gaits.TROT, seconds=6.0, ahead=0.8, turns=2.0 * np.pi, lively=0.0),
    "spin": partial(steady, gait=gaits.JOG, seconds=4.0, ahead=0.0, turns=2.5 * np.pi, lively=0.0),
    "wheel": partial(steady, gait=gaits.JOG, seconds=6.0, ahead=0.65, turns=4.0 * np.pi, lively=0.0),
    "bend": partial(steady, gait=gaits.JOG, seconds=6.0, ahead=0.95, turns=3.0 * np.pi, lively=0.0),
    "stroll": partial(
        excursion,
        gaits=[gaits.WALK],
        seconds_each=6.0,
        turning=((0.1, 0.0), (0.3, 0.6), (0.5, 0.5), (0.7, -0.4), (0.9, 0.0)),
    ),
    "sidestep": partial(steady, gait=gaits.AMBLE, seconds=4.0, ahead=0.0, aside=0.4),
    "jump_turn": partial(leap, jump=Jump(0.45, turn=0.5 * np.pi)),
    "paw": postures.giving_paw,
}
"""Clips to the left; ``_left`` is added to their names, and ``_right`` to their mirror images'."""


def clip_names() -> list[str]:
    """Of all motions there are, sorted."""
    return sorted([*ALIKE, *(f"{name}_{side}" for name in LEFT for side in ("left", "right"))])


def plan_of(robot: Quadruped, name: str) -> Plan:
    """The plan of a clip for a robot.

    Raises:
        MotionError: there is no clip of that name, or the robot's legs do not make it.
    """
    if name in ALIKE:
        return ALIKE[name](robot)
    stem, _, side = name.rpartition("_")
    if stem in LEFT and side in ("left", "right"):
        plan = LEFT[stem](robot)
        return plan if side == "left" else mirrored(plan, robot)
    close = difflib.get_close_matches(name, clip_names(), n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(clip_names())}"
    raise MotionError(f"there is no motion called {name!r} to be synthesised; {hint}")


def synthesise(body: Body, names: Sequence[str] | None = None) -> list[MotionClip]:
    """Motions for a robot with four legs of three hinges each.

    Args:
        body: the robot.
        names: of `clip_names`; all of them where none are given.

    Raises:
        MotionError: it is no such robot, or a name is unknown.
    """
    robot = read_quadruped(body)
    return [realise(robot, plan_of(robot, name), name) for name in (clip_names() if names is None else names)]
