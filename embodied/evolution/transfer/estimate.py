"""How long trainings will take: the first iterations of one of each task, which stay made, say how fast it runs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, fields
from statistics import median

from embodied.evolution.ledger import Outcome
from embodied.evolution.lifetimes import Line, Order, live
from embodied.evolution.measures import STAND_SECONDS, TRIALS

ITERATIONS = 3
"""That are measured. The first only fills the normalisers, so it is not counted."""
ENVIRONMENTS = 3
"""How often a training makes its environment: to learn, to evaluate, to stand."""
EPISODE_STEPS, CONTROL_DT = 1000, 0.02
"""Of the tasks that bodies are transferred to: control steps, s."""


@dataclass(frozen=True)
class Probe(Order):
    """An order of which only the first iterations from where it stands are lived."""


@dataclass(frozen=True)
class Rate:
    """What a probe measured."""

    starting: float
    """Seconds until learning began."""
    iteration: float
    """Seconds that one iteration took."""


def probe_of(order: Order) -> Probe:
    """The probe that leaves the order's training further on than it was."""
    values = {field.name: getattr(order, field.name) for field in fields(Order)}
    return Probe(**{**values, "checkpoint_seconds": 0.0})


def learn(order: Order, line: Line) -> Outcome | Rate:
    """A lifetime, or of a probe its beginning: it leaves a checkpoint that the training goes on from, bit for bit.

    A training that is over before its probe is gives its outcome.
    """
    if not isinstance(order, Probe):
        return live(order, line)
    watch = _Watch(line)
    try:
        return live(order, watch)
    except _Enough:
        return Rate(watch.began_at - watch.made_at, median(watch.iterations[1:]))


class _Enough(Exception):
    """The probe has measured what it is to."""


class _Watch:
    """Times iterations, the writing of checkpoints left out; passes on what is said."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.made_at = self.began_at = self._since = time.perf_counter()
        self.iterations: list[float] = []

    def began(self, steps: int) -> None:
        self.began_at = self._since = time.perf_counter()
        self._line.began(steps)

    def advanced(self, steps: int, reward: float | None) -> None:
        self.iterations.append(time.perf_counter() - self._since)
        self._line.advanced(steps, reward)

    def saved(self, steps: int) -> None:
        self._line.saved(steps)
        if len(self.iterations) >= ITERATIONS:
            raise _Enough
        self._since = time.perf_counter()

    def goes_on(self, rung: int, steps: int, value: float | None) -> bool:
        return self._line.goes_on(rung, steps, value)


def seconds_left(order: Order, done: int, rate: Rate) -> float:
    """Of one training that has made so many environment steps, the evaluation included."""
    samples = order.worlds * order.ppo.rollout_steps
    evaluation = order.episodes * EPISODE_STEPS + 2 * TRIALS * STAND_SECONDS / CONTROL_DT
    steps = max(0, order.steps - done) + evaluation
    return ENVIRONMENTS * rate.starting + rate.iteration * steps / samples


def seconds_in_all(each: Iterable[float], workers: int) -> float:
    """That so many workers take for trainings of these durations, taken up in turn as workers become free."""
    busy = [0.0] * workers
    for seconds in each:
        first = min(range(workers), key=busy.__getitem__)
        busy[first] += seconds
    return max(busy)


def rate_of(outcome: Outcome, order: Order) -> Rate:
    """Of a training that was over before its probe was."""
    samples = order.worlds * order.ppo.rollout_steps
    return Rate(0.0, outcome.wall_seconds * samples / max(outcome.environment_steps, 1))
