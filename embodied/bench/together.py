"""Processes that do the same work side by side, as workers of an evolution do, and enter each part of it together."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import BrokenBarrierError
from typing import Any

from embodied.evolution.lifetimes import prepare_process
from embodied.runs.errors import UserError

PATIENCE = 300.0
"""Seconds that processes wait for one another before they give up."""


class Meeting:
    """Where the processes wait for one another."""

    def __init__(self, barrier: Any) -> None:
        self._barrier = barrier

    def wait(self) -> None:
        """Goes on once all processes are here."""
        self._barrier.wait(PATIENCE)


LEFT_ALONE = BrokenBarrierError.__name__
Work = Callable[[Any, int, Meeting], Any]
"""What a process does, given the configuration, its number and where to meet; a function that can be imported."""


def side_by_side(work: Work, config: Any, processes: int) -> list[Any]:
    """What the work gives in each of so many processes, of one torch thread each.

    Raises:
        UserError: one of them failed.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    pipes = [context.Pipe(duplex=False) for _ in range(processes)]
    started = [
        context.Process(target=_run, args=(work, config, number, barrier, theirs), daemon=True)
        for number, (_, theirs) in enumerate(pipes)
    ]
    try:
        for process in started:
            process.start()
        for _, theirs in pipes:
            theirs.close()  # so that a process that dies is noticed
        answers = [_answer(ours) for ours, _ in pipes]
    finally:
        for process in started:
            process.kill()
            process.join()
    if errors := [error for _, error in answers if error is not None]:
        # Those that waited for the one that failed only say that it did not come.
        raise UserError(f"a process of the bench failed: {min(errors, key=lambda error: error.startswith(LEFT_ALONE))}")
    return [result for result, _ in answers]


def _run(work: Work, config: Any, number: int, barrier: Any, pipe: Connection) -> None:
    prepare_process()
    try:
        pipe.send((work(config, number, Meeting(barrier)), None))
    except Exception as error:
        barrier.abort()
        pipe.send((None, f"{type(error).__name__}: {error}"))


def _answer(pipe: Connection) -> tuple[Any, str | None]:
    try:
        return pipe.recv()
    except EOFError:
        return None, "it died; what it said stands above"
