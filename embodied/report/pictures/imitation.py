"""An imitation in pictures: what was tracked over the steps, clip by clip, and how well at the end."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from embodied.report.imitation import CLIP, Imitation
from embodied.report.style import ACCENT, CALM, INK, MUTED, OTHER, QUIET, WORTH, Picture, shorten
from embodied.skills.tracking_evaluation import MAX_JOINT_ERROR, MAX_ROOT_ERROR, ClipResult, TrackingResult

STEPS = "environment steps"
COLUMNS = 60
"""Of the picture of clips over steps."""
FEW = 60
"""Points of a curve that is made of the last few episodes alone, and so is ragged."""
ROW = 0.165
"""Height of a clip in a picture, inches."""
COLOURS = {"well": CALM, "off": ACCENT, "lost": QUIET}
"""By verdict."""
TERMS = {
    "joint_pos": (CALM, "-"),
    "joint_vel": (CALM, ":"),
    "feet": (OTHER, "-"),
    "root_pose": (ACCENT, "-"),
    "root_velocity": (ACCENT, ":"),
}
"""Colours and lines of the reward's terms."""


def verdict(clip: ClipResult) -> str:
    """How a clip was tracked: well, off, or lost."""
    return "well" if clip.good else "off" if clip.to_its_end else "lost"


def ranked(result: TrackingResult) -> list[ClipResult]:
    """The clips, those tracked well first, then by how far joints and root are off together."""
    order = list(COLOURS)
    return sorted(
        result.clips,
        key=lambda clip: (
            order.index(verdict(clip)),
            clip.joint_error / MAX_JOINT_ERROR + clip.root_error / MAX_ROOT_ERROR,
        ),
    )


def course(run: Imitation) -> list[Picture]:
    """Share to the end and score, both errors, and what is earned of each term, over steps."""
    return [
        Picture(
            "tracked",
            "Tracked to the end",
            "Means over the clips of what their recent episodes were like. Tracked to its end is a clip that was not "
            "lost on the way; the score is the part of what an episode could earn from where it began that it earned.",
            lambda figure: _two(figure, run),
        ),
        Picture(
            "earned",
            "What is earned of each term",
            "A reward's term in a step of recent episodes, as a part of its weight: 1 is a clip met exactly. Terms "
            "fall with squared errors, so what little is earned of a joint's speeds or the feet's places says that "
            "they ask much.",
            lambda figure: _terms(figure, run),
        ),
        Picture(
            "joint-error",
            "Joint error",
            "Mean |Δq| over joints and steps of recent episodes, rad, mean over the clips. Dashed is the error below "
            "which a clip counts as tracked well in the evaluation.",
            lambda figure: _error(figure, run, "tracking/joint_error", MAX_JOINT_ERROR, "rad"),
        ),
        Picture(
            "root-error",
            "Root error",
            "Mean distance of the root link from the clip's, in the world's frame, of recent episodes, m, mean over "
            "the clips: who drifts away is not tracking. Dashed as before.",
            lambda figure: _error(figure, run, "tracking/root_error", MAX_ROOT_ERROR, "m"),
        ),
    ]


def _two(figure: Figure, run: Imitation) -> None:
    axes = figure.subplots()
    axes.plot(*run.curve("tracking/share_to_end"), color=ACCENT, label="clips tracked to their end")
    axes.plot(*run.curve("tracking/score"), color=CALM, label="score")
    axes.set(ylim=(0.0, 1.02))
    axes.legend(loc="lower right")
    _steps(axes, run)


def _terms(figure: Figure, run: Imitation) -> None:
    axes = figure.subplots()
    weights = run.config.get("tracking", {}).get("rewards", {})
    for name, (colour, line) in TERMS.items():
        steps, sums = run.curve(f"episode/{name}", FEW)
        if len(steps) and weights.get(name):
            lengths = run.curve("episode/length", FEW)[1]
            earned = sums / lengths / weights[name]
            axes.plot(steps, earned, color=colour, linestyle=line, linewidth=1.4, label=name.replace("_", " "))
    axes.set(ylim=(0.0, 1.02))
    if axes.lines:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=7.5, columnspacing=1.0)
    _steps(axes, run)


def _error(figure: Figure, run: Imitation, name: str, most: float, unit: str) -> None:
    axes = figure.subplots()
    steps, values = run.curve(name)
    axes.plot(steps, values, color=CALM)
    axes.axhline(most, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)))
    place = {"xycoords": ("axes fraction", "data"), "xytext": (0, 3), "textcoords": "offset points"}
    axes.annotate(f"{most:g} {unit}", (1, most), va="bottom", ha="right", size=8, **place)
    axes.set(ylim=(0.0, 1.15 * max([most, *values])), ylabel=unit)
    _steps(axes, run)


def _steps(axes: Axes, run: Imitation) -> None:
    """Names the axis of steps; a run under way is shown within its budget once it is worth it."""
    axes.set_xlabel(STEPS)
    axes.set_xlim(0, max(run.steps, 1))
    shorten(axes, "x")


def clips_over_steps(run: Imitation) -> Picture | None:
    """The share of each clip's recent episodes that tracked it to its end, over steps; None where none was seen."""
    names = run.clips
    if not names:
        return None
    edges = np.linspace(0.0, run.steps, min(COLUMNS, len(run.entries)) + 1)
    shares = {name: run.parts(CLIP + name, edges) for name in names}
    # What the picture is read for is when a clip was learned: the first learned on top.
    names = sorted(names, key=lambda name: (np.nanmean(shares[name]), name))

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        grid = axes.pcolormesh(
            edges, np.arange(len(names) + 1), [shares[name] for name in names], cmap=WORTH, vmin=0, vmax=1
        )
        grid.set_rasterized(True)
        axes.set_yticks(np.arange(len(names)) + 0.5, labels=[name.replace("_", " ") for name in names], fontsize=7.5)
        axes.grid(visible=False)
        bar = figure.colorbar(grid, ax=axes, pad=0.012, aspect=40)
        bar.outline.set_visible(False)
        bar.set_label("share tracked to the end")
        _steps(axes, run)

    return Picture(
        "clips-over-steps",
        "Which clips, and when",
        "The share of a clip's recent episodes that tracked it to its end, by steps: clips that were learned first "
        "on top. Episodes begin anywhere in a clip, and the policy explores: the evaluation is harder by the first "
        "and easier by the second. A clip is white until an episode of it is over.",
        paint,
        (10.4, 1.1 + ROW * len(names)),
    )


def clip_errors(result: TrackingResult) -> Picture:
    """Both errors of each clip, with the thresholds."""
    clips = ranked(result)[::-1]

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        colours = [COLOURS[verdict(clip)] for clip in clips]
        y = np.arange(len(clips))
        for axes, values, most, label in (
            (left, [clip.joint_error for clip in clips], MAX_JOINT_ERROR, "joint error, rad"),
            (right, [clip.root_error for clip in clips], MAX_ROOT_ERROR, "root error, m"),
        ):
            axes.barh(y, values, color=colours, height=0.66)
            axes.axvline(most, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
            axes.set(xlabel=label, xlim=(0.0, 1.1 * max([most, *values])), ylim=(-0.6, len(clips) - 0.4))
            axes.grid(visible=False)
        left.set_yticks(y, labels=[clip.clip.replace("_", " ") for clip in clips], fontsize=7.5)
        words = {"well": "tracked well", "off": "to its end, but off", "lost": "lost on the way"}
        there = [name for name in COLOURS if COLOURS[name] in colours]
        figure.legend(
            handles=[Patch(color=COLOURS[name], label=words[name]) for name in there],
            loc="outside upper center",
            ncols=3,
        )

    return Picture(
        "clip-errors",
        "How far off each clip is",
        "Mean errors while a clip was tracked: of one that was lost, up to then. Dashed are the two thresholds: a "
        f"clip is tracked well that comes to its end with less than {MAX_JOINT_ERROR:g} rad and "
        f"{MAX_ROOT_ERROR:g} m.",
        paint,
        (10.4, 1.3 + ROW * len(clips)),
    )
