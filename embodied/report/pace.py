"""How long a training took: from its TensorBoard events, the only place in a run's folder where the time of day stands.

Metrics hold none, so that a run that was killed and taken up has those of one that never was.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

EVENTS = "tensorboard"
"""Folder in the run's."""


@dataclass(frozen=True)
class Pace:
    """Of a training, or as much of it as there is."""

    seconds: float
    """From the first figures to the last, pauses between being killed and taken up left out."""
    rate: float
    """Environment steps a second: the median over iterations."""


def read_pace(run: Path) -> Pace | None:
    """The pace of a run; None where there are no events, or of fewer than two iterations."""
    seconds, rates = 0.0, []
    for file in sorted((run / EVENTS).glob("events.out.tfevents.*")):
        first: dict[int, float] = {}
        for time, step in _moments(file.read_bytes()):
            first.setdefault(step, time)
        moments = sorted((step, time) for step, time in first.items() if step)
        if len(moments) < 2:
            continue
        seconds += moments[-1][1] - moments[0][1]
        rates += [(b - a) / (then - now) for (a, now), (b, then) in pairwise(moments) if then > now]
    return Pace(seconds, median(rates)) if rates else None


def _moments(data: bytes) -> list[tuple[float, int]]:
    """Time, s, and step of each event; a last one that is not whole yet is left out.

    A file is records, each a length (8 bytes), its checksum (4), an event and its checksum (4). An event is a protocol
    buffer: field 1 is the time (tag 0x09, a double), field 2 the step (tag 0x10, a varint).
    """
    found, at = [], 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        event, at = data[at + 12 : at + 12 + length], at + 16 + length
        if len(event) < length or length < 9 or event[0] != 0x09:
            continue
        (time,) = struct.unpack_from("<d", event, 1)
        step = 0
        if length > 10 and event[9] == 0x10:
            for place, byte in enumerate(event[10:20]):
                step |= (byte & 0x7F) << (7 * place)
                if byte < 0x80:
                    break
        found.append((time, step))
    return found
