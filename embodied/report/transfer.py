"""How evolved bodies learn other tasks: transfers read from their folders, and evolution arenas side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, Literal

from embodied.evolution.measures import METRIC
from embodied.evolution.transfer.bodies import Chosen, Source, read_bodies
from embodied.evolution.transfer.configuration import TEST_TASKS
from embodied.evolution.transfer.trainings import FOLDER, read_end, training_folder
from embodied.runs.errors import UserError
from embodied.runs.folder import CONFIG, read_run_config

Value = Literal["return", "metric"]
FIGURES: tuple[Value, ...] = ("return", "metric")
UNITS = {
    "patrol": "goals reached",
    "point_nav": "way made",
    "obstacle": "m",
    "escape": "m from the middle",
    "incline": "m up the slope",
    "push_box_incline": "m the box went",
    "manipulate_ball": "stage, 0 to 4",
    "exploration": "cells",
}
"""What the first metric of each test task counts; see the tasks."""


@dataclass(frozen=True)
class Trained:
    """What one body reached on one task."""

    lifetime: int
    values: dict[str, float]
    """Mean return over the evaluation's episodes, and mean of the task's first metric; finite ones alone."""


@dataclass(frozen=True)
class Results:
    """The transfer of one evolution, as far as it has come."""

    folder: Path
    source: Source
    bodies: list[Chosen]
    steps: int
    """Environment steps of a training."""
    episodes: int
    tasks: list[str]
    """The test tasks in their order, then others."""
    trained: dict[str, dict[int, Trained]]
    """By task and body."""
    metrics: dict[str, str]
    """Name of each task's first metric."""
    failed: int
    unfinished: int


@dataclass(frozen=True)
class Group:
    """A column: bodies that are told together."""

    label: str
    results: Results
    lifetimes: list[int]
    evolved: bool
    """Whether it is of the best bodies and not of the best initial ones."""
    own: bool = True
    """Whether it is of this evolution alone, and not the initial bodies that all have in common."""

    def values(self, task: str, figure: Value) -> list[float]:
        """Of the bodies that have one."""
        there = self.results.trained.get(task, {})
        return [there[n].values[figure] for n in self.lifetimes if n in there and figure in there[n].values]


@dataclass(frozen=True)
class Cell:
    """Mean and standard deviation over bodies."""

    mean: float
    std: float
    bodies: int

    @property
    def _digits(self) -> int:
        return 0 if abs(self.mean) >= 100 else 1 if abs(self.mean) >= 10 else 2

    @property
    def shown(self) -> float:
        """The mean as it is told; nan where there is none."""
        return round(self.mean, self._digits) + 0.0 if self.bodies else math.nan  # no minus before a zero

    def __str__(self) -> str:
        if not self.bodies:
            return "–"
        spread = f" ± {self.std:,.{self._digits}f}" if self.bodies > 1 else ""
        return f"{self.shown:,.{self._digits}f}{spread}".replace("-", "−")


def read_results(folder: Path) -> Results:
    """Reads a transfer that is over or still going on.

    Raises:
        UserError: the folder holds no transfer, or a damaged one.
    """
    config, kept = read_run_config(folder), read_bodies(folder)
    if config["kind"] != "transfer":
        raise UserError(f"{folder} holds a run of {config['kind']!r}, and no transfer")
    if kept is None:
        raise UserError(f"{folder} holds a transfer that has not begun yet")
    source, bodies = kept
    planned, steps, episodes = (config.get(name) for name in ("tasks", "steps", "episodes"))
    if not isinstance(planned, list) or not isinstance(steps, int) or not isinstance(episodes, int):
        raise UserError(f"{folder / 'config.yaml'} is damaged: it names no tasks, steps or episodes")
    others = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name not in planned)
    trained: dict[str, dict[int, Trained]] = {}
    metrics: dict[str, str] = {}
    failed = unfinished = 0
    for task in (*planned, *others):
        for body in bodies:
            outcome, failure = read_end(training_folder(folder, task, body.lifetime))
            if outcome is None:
                failed += failure is not None
                unfinished += failure is None and task in planned
                continue
            values = {"return": fmean(episode[0] for episode in outcome["evaluation"])}
            name = next((key for key in outcome["measures"] if key.startswith(METRIC)), None)
            if name is not None:
                metrics[task] = name.removeprefix(METRIC)
                values["metric"] = outcome["measures"][name]
            finite = {key: value for key, value in values.items() if value is not None and math.isfinite(value)}
            trained.setdefault(task, {})[body.lifetime] = Trained(body.lifetime, finite)
    return Results(
        *(folder, source, bodies, steps, episodes),
        tasks=sorted(trained, key=lambda task: (TEST_TASKS.index(task) if task in TEST_TASKS else 99, task)),
        trained=trained,
        metrics=metrics,
        failed=failed,
        unfinished=unfinished,
    )


def transfer_of(path: Path) -> Path | None:
    """The folder of a run's transfer, which may be the run itself; None where there is none."""
    if read_run_config(path)["kind"] == "transfer":
        return path
    return path / FOLDER if (path / FOLDER / CONFIG).exists() else None


def read_transfers(paths: Iterable[Path]) -> list[Results]:
    """Those of the runs that have one."""
    folders = dict.fromkeys(folder for path in paths if (folder := transfer_of(path)) is not None)
    return [read_results(folder) for folder in folders]


def companions(run: Path, others: Sequence[Path]) -> tuple[Path | None, list[Path]]:
    """What there is to set beside an evolution: one whose fitness compares, and those whose bodies were transferred.

    Raises:
        UserError: a run that is neither.
    """
    task, beside, arenas = read_run_config(run).get("task"), None, []
    for path in others:
        config = read_run_config(path)
        transferred = transfer_of(path) is not None
        if config["kind"] == "evolve" and config.get("task") == task and beside is None:
            beside = path
        elif not transferred and config["kind"] == "evolve" and config.get("task") == task:
            raise UserError(f"{beside} and {path} are both on {task}: --beside compares fitness with one run at a time")
        elif not transferred and config["kind"] == "evolve":
            raise UserError(
                f"{run} is on the task {task} and {path} on {config.get('task')}: their fitness cannot be compared. "
                f"How their bodies learn other tasks can, after embodied transfer {run} {path}"
            )
        elif not transferred:
            raise UserError(f"--beside compares evolutions, and {path} holds a run of {config['kind']!r}")
        if transferred:
            arenas.append(path)
    return beside, arenas


def groups(found: Sequence[Results]) -> list[Group]:
    """The columns: the best of each arena, then the best initial bodies of each, once if all began with the same."""
    columns = {place: [g for each in found if (g := _group(each, place, found))] for place in ("rank", "initial_rank")}
    initial = columns["initial_rank"]
    if len(initial) > 1 and all(_same(group, initial[0]) for group in initial):
        initial = [replace(initial[0], label="initial", own=False)]
    return [*columns["rank"], *initial]


def _group(results: Results, place: str, found: Sequence[Results]) -> Group | None:
    bodies = [body for body in results.bodies if getattr(body, place) is not None]
    bodies.sort(key=lambda body: getattr(body, place))
    arena = results.source.task.replace("_", " ")
    if len({each.source.task for each in found}) < len(found):
        arena += f" ({results.source.search}, seed {results.source.seed})"
    label = f"evolved on {arena}" if place == "rank" else f"initial, {arena}"
    return Group(label, results, [body.lifetime for body in bodies], place == "rank") if bodies else None


def _same(one: Group, other: Group) -> bool:
    """Whether the same bodies reached the same."""
    return _reached(one) == _reached(other)


def _reached(group: Group) -> list:
    names = {body.lifetime: body.fingerprint for body in group.results.bodies}
    return [[names[n] for n in group.lifetimes], [group.values(t, f) for t in group.results.tasks for f in FIGURES]]


def tasks_of(found: Sequence[Results]) -> list[str]:
    """All tasks that any body has learned, each once, in order."""
    return list(dict.fromkeys(task for results in found for task in results.tasks))


def cell(group: Group, task: str, figure: Value) -> Cell:
    """Of a column and a task."""
    values = group.values(task, figure)
    return Cell(fmean(values), pstdev(values), len(values)) if values else Cell(math.nan, math.nan, 0)


def best_of(columns: Sequence[Group], task: str, figure: Value) -> list[Group]:
    """The columns with the greatest mean as it is told; none where fewer than two have one, or all are equal."""
    means = [(group, cell(group, task, figure).shown) for group in columns]
    there = [mean for _, mean in means if math.isfinite(mean)]
    if len(set(there)) < 2:
        return []
    return [group for group, mean in means if mean == max(there)]


def metric_name(found: Sequence[Results], task: str) -> str:
    """Of the task's first metric; empty where it has none."""
    return next((results.metrics[task] for results in found if task in results.metrics), "")


def transfer_table(found: Sequence[Results]) -> list[tuple[str, ...]]:
    """Rows for people: a task's mean return ± standard deviation over bodies, its metric below; best marked with *."""
    columns = groups(found)
    rows = [("", *(f"{group.label} ({len(group.lifetimes)})" for group in columns))]
    for task in tasks_of(found):
        for figure in FIGURES:
            name = "return" if figure == "return" else metric_name(found, task)
            if not name:
                continue
            best = best_of(columns, task, figure)
            told = [f"{cell(group, task, figure)}{' *' if group in best else ''}" for group in columns]
            rows.append((f"{task} {name}" if figure == "return" else f"  {name}", *told))
    return rows


def transfer_figures(found: Sequence[Results]) -> dict[str, Any]:
    """The table as plain data, by task and column."""
    columns = groups(found)
    return {
        "steps": {str(results.folder): results.steps for results in found},
        "unfinished": sum(results.unfinished for results in found),
        "failed": sum(results.failed for results in found),
        "tasks": {
            task: {
                "metric": metric_name(found, task) or None,
                **{group.label: {figure: _plain(group, task, figure) for figure in FIGURES} for group in columns},
            }
            for task in tasks_of(found)
        },
    }


def _plain(group: Group, task: str, figure: Value) -> dict[str, Any] | None:
    found = cell(group, task, figure)
    if not found.bodies:
        return None
    return {"mean": found.mean, "std": found.std, "bodies": found.bodies, "values": group.values(task, figure)}
