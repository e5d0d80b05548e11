"""Progress for people: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

PLAIN_EVERY = 15.0
"""Seconds between plain lines about work in flight."""


@dataclass
class Work:
    """One piece of work in flight."""

    name: str
    total: int
    """Environment steps it takes."""
    done: int = 0
    first: int = 0
    """Steps that were done when it was taken up."""
    reward: float | None = None
    """Mean return of its recent episodes."""
    note: str = ""
    """What else there is to say of it, in a few words."""
    began: float = 0.0

    @property
    def rate(self) -> float:
        """Environment steps a second."""
        return (self.done - self.first) / max(time.monotonic() - self.began, 1e-6)

    @property
    def left(self) -> float | None:
        """Seconds until it is done, as far as can be told; whole rollouts may go beyond what was asked for."""
        return max(0, self.total - self.done) / self.rate if self.done > self.first else None


class Progress:
    """Shows pieces of work as they advance, and lines about what was finished."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._console = Console(stderr=False, soft_wrap=True, highlight=False)
        self._work: dict[int, Work] = {}
        self._live: Live | None = None
        self._spoke = time.monotonic()
        self.summary = ""
        """A line about the whole, e.g. the best so far."""

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live = Live(self._table(), console=self._console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
            self._live.stop()

    def begin(self, key: int, name: str, total: int, done: int = 0) -> None:
        """Work begins, or goes on at ``done`` steps."""
        self._work[key] = Work(name, total, done, first=done, began=time.monotonic())

    def advance(self, key: int, done: int, reward: float | None, note: str = "") -> None:
        """Work advanced to ``done`` steps."""
        work = self._work[key]
        work.done, work.reward, work.note = done, reward, note
        if self._live is not None:
            self._live.update(self._table())
        elif time.monotonic() - self._spoke > PLAIN_EVERY:
            for work in self._work.values():
                self.say(f"  {work.name}: {_figures(work)}" + (f"; {work.note}" if work.note else ""))

    def end(self, key: int, line: str) -> None:
        """Work is done; the line stays."""
        self._work.pop(key, None)
        self.say(line)
        if self._live is not None:
            self._live.update(self._table())

    def say(self, line: str) -> None:
        """A line that stays."""
        self._spoke = time.monotonic()
        self._console.print(line, markup=False)
        sys.stdout.flush()

    def _table(self) -> Table:
        notes = "\n".join(line for line in (self.summary, *(work.note for work in self._work.values())) if line)
        table = Table(title=self._title, caption=notes, title_justify="left", caption_justify="left")
        for heading in ("", "steps", "reward", "steps/s", "left"):
            table.add_column(heading, justify="left" if not heading else "right")
        for work in self._work.values():
            share = f"{work.done:,} / {work.total:,}"
            table.add_row(work.name, share, _reward(work.reward), f"{work.rate:,.0f}", duration(work.left))
        return table


def _figures(work: Work) -> str:
    return (
        f"{work.done:,} of {work.total:,} steps, reward {_reward(work.reward)}, {work.rate:,.0f} steps/s, "
        f"{duration(work.left)} left"
    )


def _reward(reward: float | None) -> str:
    return "-" if reward is None else f"{reward:,.1f}"


def duration(seconds: float | None) -> str:
    """``3 m 20 s``."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} m" if hours else f"{minutes} m {rest:02} s" if minutes else f"{rest} s"
