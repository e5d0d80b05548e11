"""The reporter: a thread that follows the ledger, draws the sweep's panel and tells the director."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from embodied.report.viewer import words
from embodied.report.viewer.chart import chart
from embodied.report.viewer.controls import PICK, News, SweepPanel, Wish, show
from embodied.report.viewer.picture import ACCENT, BAD, CALM, INK, QUIET
from embodied.report.viewer.sweep import Plan, Sweep, Watch, course_of, figures_of
from embodied.report.viewer.tree import MOST, tree
from embodied.runs.errors import UserError

INTERVAL = 2.0
"""Between two looks at the ledger, s."""
BEAT = 0.25
"""Between two looks at which lifetime is on the stage, s."""


class Reporter:
    """Looks at an evolution again and again while somebody watches."""

    def __init__(
        self,
        run: Path,
        plan: Plan,
        panel: SweepPanel,
        send: Callable[[Wish], None],
        shown: Callable[[], int | None],
        watched: Callable[[], bool],
    ) -> None:
        """Looks for the first time.

        Args:
            run: its folder.
            plan: its configuration.
            panel: where it is told of.
            send: takes the news.
            shown: the number of the lifetime on the stage.
            watched: whether anybody is there.

        Raises:
            UserError: the evolution has not begun, or its ledger is damaged.
        """
        self._plan, self._panel, self._send, self._shown, self._watched = plan, panel, send, shown, watched
        self._watch = Watch(run)
        self._sweep = self._watch.look()
        self._ringed: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        assert self._sweep is not None
        self._report(self._sweep)

    def start(self) -> None:
        """Begins to follow."""
        self._thread.start()

    def close(self) -> None:
        """Ends it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        waited = 0.0
        while not self._stop.wait(BEAT):
            waited += BEAT
            if not self._watched():
                continue
            if waited >= INTERVAL:
                waited = 0.0
                try:
                    sweep = self._watch.look()
                except UserError as error:
                    show(self._panel.notice, words.notice(str(error)))
                    continue
                show(self._panel.notice, "")
                if sweep is not None:
                    self._sweep = sweep
                    self._report(sweep)
            if self._sweep is not None and self._shown() != self._ringed:
                self._draw_tree(self._sweep)

    def _report(self, sweep: Sweep) -> None:
        self._send(News(sweep))
        plan, panel = self._plan, self._panel
        show(panel.figures, words.figures(figures_of(sweep, plan.population), plan.lifetimes, sweep.alive))
        course = chart(course_of(sweep.finished, plan.population), plan.lifetimes)
        key = words.key([(ACCENT, "best"), (CALM, f"median of the latest {plan.population}"), (QUIET, "a lifetime")])
        show(panel.chart, words.section("Fitness as lifetimes finish", key, course))
        show(panel.in_flight, words.in_flight(sweep, plan.steps))
        self._draw_tree(sweep)

    def _draw_tree(self, sweep: Sweep) -> None:
        best = sweep.best
        self._ringed = self._shown()
        drawing = tree(sweep.rows, best["id"] if best else None, self._ringed, self._plan.lifetimes)
        key = words.key(
            [(ACCENT, "best and its ancestors"), (CALM, "initial")], [(INK, "in flight, shown"), (BAD, "failed")]
        )
        count = len(sweep.rows)
        few = f"Of {count:,} some {MOST} are drawn: the fittest of every stretch among them." if count > MOST else ""
        show(self._panel.tree, words.section("Family tree", key, f'<div onclick="{PICK}">{drawing}</div>', few))
