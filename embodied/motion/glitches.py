"""Glitches of joint angles: jumps by whole turns, stretches on a wrong branch of inverse kinematics, impossible speeds.

Each function takes (T, J) angles, evenly spaced, and returns repaired ones; where a repair would be a guess it raises
`Hopeless`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TURN = 2.0 * np.pi
FAR_OUT = 0.75
"""rad: an angle that far out of its range is wrong, not only too large."""
JUMP = 3.0
"""Times the largest speed: a step so fast leads to a wrong stretch or out of one."""
LONGEST_BRIDGE = 0.4
"""s: what happened in a longer gap would be invented."""
MARGIN = 2
"""Frames on either side of a wrong stretch that are not trusted."""


HARDEST = 200.0
"""m/s²: no root is thrown harder; where one seems to be, it is put elsewhere between two frames."""
SMALLEST_JUMP = 1.5
"""m/s: nor are changes of speed looked at that are less, whatever the rate."""


class Hopeless(ValueError):
    """What cannot be repaired, as a part of a sentence."""


def unwrapped(angles: Array, lower: Array, upper: Array, max_speed: Array, rate: float) -> tuple[Array, int]:
    """Angles without jumps by whole turns, in the turn that fits the joints' ranges, and how many jumps there were.

    Args:
        angles: (T, J) rad.
        lower: (J,) rad.
        upper: (J,) rad.
        max_speed: (J,) rad/s.
        rate: frames in a second.
    """
    steps = np.diff(angles, axis=0)
    turns = np.round(steps / TURN)
    # Only where nothing remains of the jump: other jumps have other reasons.
    turns[np.abs(steps - TURN * turns) * rate > np.minimum(max_speed, 0.5 * rate)] = 0.0
    angles = angles.copy()
    angles[1:] -= TURN * np.cumsum(turns, axis=0)
    limited = np.isfinite(lower) & np.isfinite(upper)
    for joint in np.flatnonzero(limited & (turns != 0).any(axis=0)):
        shifts = TURN * np.arange(-3, 4)
        out = [np.maximum(lower[joint] - angles[:, joint] - s, angles[:, joint] + s - upper[joint]) for s in shifts]
        angles[:, joint] += shifts[int(np.argmin([np.maximum(each, 0.0).sum() for each in out]))]
    return angles, int(np.count_nonzero(turns))


def root_jumps(pos: Array, rate: float) -> list[int]:
    """Steps, by their first frames, in which a root is put elsewhere: much faster than the steps beside them.

    Args:
        pos: (T, 3) m.
        rate: frames in a second.
    """
    speed = np.diff(pos, axis=0) * rate
    if len(speed) < 3:
        return []
    change = np.linalg.norm(np.diff(speed, axis=0), axis=1)
    hard = change > max(SMALLEST_JUMP, HARDEST / rate)
    before, after = np.concatenate(([True], hard)), np.concatenate((hard, [True]))
    return np.flatnonzero(
        before & after & (np.concatenate(([0.0], change)) + np.concatenate((change, [0.0])) > 0)
    ).tolist()


def wrong_stretches(angles: Array, lower: Array, upper: Array, max_speed: Array, rate: float) -> list[tuple[int, int]]:
    """First frames, and frames after the last, of where one of a leg's joints is far out of range or between two jumps.

    Args:
        angles: (T, J) of one leg, rad.
        lower: (J,) rad.
        upper: (J,) rad.
        max_speed: (J,) rad/s.
        rate: frames in a second.
    """
    wrong: NDArray[np.bool_] = np.any(np.maximum(lower - angles, angles - upper) > FAR_OUT, axis=1)
    jumps = np.flatnonzero((np.abs(np.diff(angles, axis=0)) * rate > JUMP * max_speed).any(axis=1))
    for start, end in pairwise(jumps):
        if end - start <= LONGEST_BRIDGE * rate:
            wrong[start + 1 : end + 1] = True
    edges = np.flatnonzero(np.diff(np.concatenate(([0], wrong.astype(int), [0]))))
    found: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        start, stop = max(0, int(start) - MARGIN), min(len(angles), int(stop) + MARGIN)
        if found and start <= found[-1][1] + MARGIN:
            start = found.pop()[0]
        found.append((start, stop))
    return found


def bridged(angles: Array, start: int, stop: int, rate: float) -> Array:
    """Angles with the frames from ``start`` to before ``stop`` replaced by a cubic between their neighbours.

    Args:
        angles: (T, J) rad.
        start: at least 1.
        stop: at most T - 1.
        rate: frames in a second.

    Raises:
        Hopeless: the gap is too long.
    """
    before, after = start - 1, stop
    if (after - before) > LONGEST_BRIDGE * rate:
        raise Hopeless(f"are wrong for {(stop - start) / rate:.2f} s from {start / rate:.2f} s on")
    angles = angles.copy()
    span = after - before
    slope_in = angles[before] - angles[max(0, before - 1)]
    slope_out = angles[min(len(angles) - 1, after + 1)] - angles[after]
    # A gap that is crossed has no need of slopes steeper than thrice its own (Fritsch and Carlson, 1980).
    steepest = 3.0 * np.abs(angles[after] - angles[before]) / span
    slope_in, slope_out = (np.clip(each, -steepest, steepest) for each in (slope_in, slope_out))
    at = (np.arange(start, stop)[:, None] - before) / span
    angles[start:stop] = (
        angles[before] * (2 * at**3 - 3 * at**2 + 1)
        + angles[after] * (3 * at**2 - 2 * at**3)
        + span * slope_in * (at**3 - 2 * at**2 + at)
        + span * slope_out * (at**3 - at**2)
    )
    return angles


def slowed(angles: Array, max_speed: Array, rate: float) -> tuple[Array, int]:
    """Angles no step of which is faster than allowed, and how many frames that took.

    Around a step that is too fast the shortest stretch whose ends can be joined in time is replaced by a straight line.

    Args:
        angles: (T, J) rad.
        max_speed: (J,) rad/s.
        rate: frames in a second.

    Raises:
        Hopeless: such a stretch would be longer than a gap may be; it says where.
    """
    angles, longest = angles.copy(), int(LONGEST_BRIDGE * rate)
    changed = np.zeros(len(angles), bool)
    for joint in np.flatnonzero(np.isfinite(max_speed)):
        values, allowed = angles[:, joint], max_speed[joint] / rate
        for _ in range(len(angles)):
            fast = np.flatnonzero(np.abs(np.diff(values)) > allowed * (1 + 1e-9))
            if not len(fast):
                break
            worst = int(fast[np.argmax(np.abs(np.diff(values))[fast])])
            start, end = _joinable(values, worst, allowed, longest, rate)
            values[start : end + 1] = np.linspace(values[start], values[end], end - start + 1)
            changed[start + 1 : end] = True
        else:
            raise Hopeless("move faster than they can nearly all the time")
    return angles, int(changed.sum())


def _joinable(values: Array, step: int, allowed: float, longest: int, rate: float) -> tuple[int, int]:
    """The shortest stretch around a step, the most even about it of several, whose ends are slow enough to join."""
    for length in range(2, longest + 1):
        starts = np.arange(max(0, step + 1 - length), min(step, len(values) - 1 - length) + 1)
        if not len(starts):
            continue
        fits = starts[np.abs(values[starts + length] - values[starts]) <= allowed * length]
        if len(fits):
            middle = step + 0.5 - 0.5 * length
            start = int(fits[np.argmin(np.abs(fits - middle))])
            return start, start + length
    raise Hopeless(f"move faster than they can for longer than {LONGEST_BRIDGE} s around {step / rate:.2f} s")
