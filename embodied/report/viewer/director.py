"""The director: whose body is on the stage, how it moves, and what the panels say; driven from one thread."""

from __future__ import annotations

import queue
import time
from pathlib import Path

import viser

from embodied.report.viewer import words
from embodied.report.viewer.controls import (
    Act,
    BodyPanel,
    Choose,
    Connected,
    Follow,
    News,
    Parent,
    Restart,
    Wish,
    show,
)
from embodied.report.viewer.performance import Performance, Role
from embodied.report.viewer.stage import Stage
from embodied.report.viewer.sweep import Row, Sweep, lifetime_folder
from embodied.runs.errors import UserError
from morphologies import GenomeError, body_from_genome, from_json

TICK = 0.02
"""Between two pictures, s."""
MOST_STEPS = 8
"""Control steps between two pictures, however fast it is to go."""
PATIENCE = 0.5
"""Between two looks at whether anybody watches, s."""
READING = 0.2
"""Between two changes of the numbers beneath the body, s."""


class Director:
    """Takes wishes and news, and moves the body while somebody watches."""

    def __init__(self, server: viser.ViserServer, role: Role | None, run: Path, task: str) -> None:
        """Sets the stage.

        Args:
            server: of the page.
            role: who is shown; None where there is a ledger to choose from, and `News` will come.
            run: its folder.
            task: its task's name.
        """
        self.inbox: queue.SimpleQueue[Wish] = queue.SimpleQueue()
        self.chosen: int | None = None
        """The lifetime that is shown."""
        self._server = server
        self._run, self._task = run, task
        self._panel = BodyPanel(server, role is None, self.inbox.put)
        self._stage = Stage(server)
        self._performance: Performance | None = None
        self._sweep: Sweep | None = None
        self._follows = True
        server.on_client_connect(lambda _: self.inbox.put(Connected()))
        if role is not None:
            self._put_on(role, "")
            show(self._panel.facts, words.body(role.body))

    def direct(self) -> None:
        """Goes on until it is interrupted."""
        due = read = time.perf_counter()
        debt = 0.0
        while True:
            watched = bool(self._server.get_clients())
            self._answer(None if watched else PATIENCE)
            performance = self._performance
            if not watched or performance is None:
                time.sleep(TICK if watched else 0.0)
                due = time.perf_counter()
                continue
            if self._panel.playing.value:
                debt += self._panel.speed.value * TICK / performance.control_dt
                steps = min(int(debt), MOST_STEPS)
                debt -= int(debt)
                episodes = performance.episodes
                for _ in range(steps):
                    performance.step()
                if performance.episodes != episodes:
                    self._stage.recentre(performance.position)
                if steps:
                    self._stage.pose(performance.links, performance.position)
            now = time.perf_counter()
            if now - read >= READING:
                read = now
                show(self._panel.moment, words.moment(performance.seconds, performance.distance, performance.falls))
            due = max(due + TICK, now - 5 * TICK)  # what was missed by more is not made up for
            time.sleep(max(0.0, due - now))

    def _answer(self, patience: float | None) -> None:
        """Answers all that lies in the inbox; of several choices only the last is worth a body."""
        wishes: list[Wish] = []
        try:
            wishes.append(self.inbox.get(timeout=patience) if patience else self.inbox.get_nowait())
            while True:
                wishes.append(self.inbox.get_nowait())
        except queue.Empty:
            pass
        choices = [wish for wish in wishes if isinstance(wish, Choose)]
        for wish in wishes:
            if not isinstance(wish, Choose) or wish is choices[-1]:
                self._grant(wish)

    def _grant(self, wish: Wish) -> None:
        match wish:
            case News(sweep):
                self._hear(sweep)
            case Choose(lifetime):
                self._follows = False
                self._choose(lifetime)
            case Follow(on):
                self._follows = on
                self._choose(self.chosen)
            case Parent():
                if self._sweep and self.chosen is not None:
                    parent = self._sweep.rows[self.chosen]["parent"]
                    self._follows = self._follows and parent is None
                    self._choose(self.chosen if parent is None else parent)
            case Act():
                self._take_actions()
            case Restart():
                self._take_actions()  # there may be a newer checkpoint
                if self._performance:
                    self._performance.restart()
                    self._stage.recentre(self._performance.position)
                    self._stage.pose(self._performance.links, self._performance.position)
            case Connected():
                pass

    def _hear(self, sweep: Sweep) -> None:
        before = self._sweep
        self._sweep = sweep
        shown = self.chosen
        self._choose(shown)
        if before is None or shown is None or shown != self.chosen:
            return
        learnt = before.rows[shown]["status"] != sweep.rows[shown]["status"]
        if learnt or before.steps.get(shown) != sweep.steps.get(shown):
            self._take_actions()

    def _choose(self, lifetime: int | None) -> None:
        """Shows a lifetime, or the best where that is followed."""
        sweep = self._sweep
        if sweep is None or not sweep.rows:
            return
        best = sweep.best
        if self._follows and best is not None:
            lifetime = best["id"]
        lifetime = min(max(lifetime or 0, 0), len(sweep.rows) - 1)
        row = sweep.rows[lifetime]
        if lifetime != self.chosen:
            self.chosen = lifetime
            self._take_stage(row)
        body = self._performance.role.body if self._performance else None
        self._panel.show_choice(lifetime, len(sweep.rows), self._follows)
        show(self._panel.facts, words.lifetime(sweep.rows, row, body))

    def _take_stage(self, row: Row) -> None:
        """Shows a lifetime's body; one that cannot be shown leaves the stage empty and is told of."""
        number = row["id"]
        try:
            body = body_from_genome(from_json(row["genome"]), f"lifetime {number}")
            folder = lifetime_folder(self._run, number)
            self._put_on(Role(f"Lifetime {number}", self._task, body, folder), self._standing(row))
        except (GenomeError, UserError) as error:
            self._clear()
            show(self._panel.heading, words.heading(f"Lifetime {number}", self._task))
            show(self._panel.notice, words.notice(f"Its body cannot be shown ({error})."))

    def _clear(self) -> None:
        if self._performance is not None:
            self._performance.close()
            self._performance = None
        self._stage.clear()
        show(self._panel.moment, "")

    def _put_on(self, role: Role, standing: str) -> None:
        performance = Performance(role, self._panel.source.value)
        self._clear()
        self._performance = performance
        self._stage.dress(performance.shapes, performance.links, performance.position, performance)
        show(self._panel.heading, words.heading(role.title, role.task))
        self._tell(standing)

    def _take_actions(self) -> None:
        if self._performance:
            self._performance.take_actions_from(self._panel.source.value)
            row = self._sweep.rows[self.chosen] if self._sweep and self.chosen is not None else None
            self._tell(self._standing(row) if row else "")

    def _standing(self, row: Row) -> str:
        """What is to be known of a lifetime that did not end well, or not yet."""
        if row["status"] == "failed":
            return f"This lifetime failed ({row['failure']})."
        if row["status"] == "running":
            steps = self._sweep.steps.get(row["id"], 0) if self._sweep else 0
            return (
                f"It is still learning; this is how it acted after {steps:,} steps." if steps else "It has just begun."
            )
        return ""

    def _tell(self, standing: str) -> None:
        note = self._performance.note if self._performance else ""
        show(self._panel.notice, words.notice(" ".join(filter(None, (standing, note)))))
