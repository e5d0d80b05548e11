"""The pre-training of a skill prior in pictures: what tells over the steps, how near each clip is, its lessons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from embodied.report.repertoire import Evaluation, RepertoireRun
from embodied.report.style import ACCENT, CALM, FAINT, INK, MUTED, PAPER, QUIET, Picture, short, shorten
from embodied.report.training import averaged

STEPS = "environment steps"
ROW = 0.175
"""Height of a clip in a picture, inches."""
DASHED = (0, (4, 3))

Curve = tuple[str, str, str]
"""Name of a metric, what the legend calls it, colour."""


def course(run: RepertoireRun) -> list[Picture]:
    """What tells whether a prior is any good, over steps; without pictures of what was not measured."""
    count = len(run.clips)
    given = [
        (
            "agreement",
            "Encoder agreement",
            "Mean ⟨E(window), z⟩: how well the latent can be told from the movement. 0 is a policy that does not heed "
            "its latent, 1 the best there is.",
            [("discriminator/agreement", "", ACCENT)],
            _agreement,
        ),
        (
            "told",
            "Who is told from whom",
            "Shares of windows that the discriminator takes for what they are. Near a half it is fooled; 1 and 1 is a "
            "discriminator that has won, from which nothing more is learned.",
            [
                ("discriminator/right_on_agent", "the policy's windows", ACCENT),
                ("discriminator/right_on_clips", "the clips' windows", CALM),
            ],
            _told,
        ),
        (
            "nearness",
            "How near to clips",
            "Mean distance of what is done to the nearest window of any clip, and the share nearer than 0.5. Two "
            "moments drawn at random from the clips are √2 apart. Under all latents, noise included: a policy that "
            "only stands is near as well.",
            [("clips/distance", "distance to the nearest clip", CALM), ("clips/near", "share that is near", ACCENT)],
            _from_zero,
        ),
        (
            "clips-met",
            "Clips that are met",
            "Clips that near windows of late were nearest to, and how many they would be if all were used alike (the "
            "exponential of their entropy)." + (f" Dashed: all {count} clips." if count else ""),
            [*[("clips/seen", "clips seen", CALM)][:count], ("clips/effective", "used alike", ACCENT)],
            _clips_met,
        ),
        (
            "action-diversity",
            "Actions under two latents",
            "Root mean square between actions under two latents in the same state, in units of the action: near 0 the "
            "prior has collapsed.",
            [("action_diversity", "", ACCENT)],
            _from_zero,
        ),
        (
            "live-transitions",
            "Transitions between clips",
            "Share of looks, 8 control steps apart, after which another clip is the nearest. Latents change after 1 to "
            f"{run.config.get('ase', {}).get('longest_skill', 150) - 1} steps, so this stays below 1.",
            [("clips/transitions", "", ACCENT)],
            _shares,
        ),
        (
            "rewards",
            "Rewards",
            "Mean of a step: style, what the discriminator gives, and skill, what the encoder gives. Little can be "
            "told from them: the judge learns with the judged.",
            [("reward/style", "style", CALM), ("reward/skill", "skill", ACCENT)],
            _from_zero,
        ),
        (
            "episodes",
            "Length of episodes",
            "Control steps of the episodes that ended in a rollout. A robot that falls ends its own early.",
            [("episode/length", "", CALM)],
            _from_zero,
        ),
    ]
    return [
        Picture(name, title, caption, _painter(run, curves, finish))
        for name, title, caption, curves, finish in given
        if any(run.latest(metric) is not None for metric, _, _ in curves)
    ]


def _painter(
    run: RepertoireRun, curves: Sequence[Curve], finish: Callable[[Axes, RepertoireRun], None]
) -> Callable[[Figure], None]:
    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for metric, label, colour in curves:
            steps, values = run.curve(metric)
            if metric == "clips/seen":  # told as a share; beside a number of clips it is one
                values = values * len(run.clips)
            axes.plot(steps, values, color=colour, label=label, marker="o" if len(steps) == 1 else None)
        if run.rested:
            axes.axvspan(0, run.rested, color=FAINT, linewidth=0, zorder=0)
        finish(axes, run)
        if any(label for _, label, _ in curves):
            axes.legend(loc="best")
        axes.set_xlabel(STEPS)
        axes.set_xlim(0, max(run.steps, 1))
        shorten(axes, "x")

    return paint


def _agreement(axes: Axes, run: RepertoireRun) -> None:
    axes.set(ylim=(min(0.0, float(run.curve("discriminator/agreement")[1].min())), 1.02))


def _told(axes: Axes, _: RepertoireRun) -> None:
    axes.axhline(0.5, color=MUTED, linewidth=1.0, linestyle=DASHED)
    axes.set(ylim=(0.0, 1.02))


def _shares(axes: Axes, _: RepertoireRun) -> None:
    axes.set(ylim=(0.0, 1.02))


def _from_zero(axes: Axes, _: RepertoireRun) -> None:
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if _has_negative(axes) else 0.0)


def _has_negative(axes: Axes) -> bool:
    return any((np.asarray(line.get_ydata(), dtype=float) < 0.0).any() for line in axes.lines)


def _clips_met(axes: Axes, run: RepertoireRun) -> None:
    if run.clips:
        axes.axhline(len(run.clips), color=MUTED, linewidth=1.0, linestyle=DASHED)
    axes.set_ylim(0.0, 1.06 * len(run.clips) or None)


def taught(run: RepertoireRun) -> list[Picture]:
    """How the decoder was taught, and how far it went from that afterwards; nothing for a run without a teacher."""
    if run.lessons is None:
        return []
    lessons = run.lessons

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        steps, led = averaged(lessons.steps, lessons.led)
        axes.fill_between(steps, led, color=FAINT, linewidth=0, label="share of worlds led by the teacher")
        steps, error = averaged(lessons.steps, lessons.error)
        axes.plot(steps, error, color=ACCENT, label="error", marker="o" if len(steps) == 1 else None)
        last = float(lessons.error[-1])
        words = {"xytext": (0, 6), "textcoords": "offset points", "ha": "right", "va": "bottom", "size": 8.5}
        axes.annotate(f"{last:.3f}", (float(steps[-1]), last), color=ACCENT, **words)
        axes.set(ylim=(0.0, 1.05 * max(1.0, *error)), xlim=(0, steps[-1]), xlabel="environment steps of the teaching")
        axes.legend(loc="upper right")
        shorten(axes, "x")

    pictures = [
        Picture(
            "taught",
            "While it was taught",
            "Root mean square between the decoder's actions and the teacher's, in units of the action, on moments "
            "drawn from those kept. At first the teacher acts itself, then less and less: errors in states that the "
            "decoder gets into by itself are those that count. These steps are not among the run's own.",
            paint,
        )
    ]
    if run.latest("drift") is not None:
        pictures.append(
            Picture(
                "drift",
                "What is left of it",
                "Squared distance of the policy's mean actions from those that it was taught, summed over joints, in "
                "units of the action, over the run's own steps: what an anchor holds down.",
                _painter(run, [("drift", "", CALM)], _from_zero),
            )
        )
    return pictures


def clip_distances(found: Evaluation) -> Picture:
    """How near the best latent comes to each clip, and the share of clips within any threshold."""
    names, threshold = list(found.distances)[::-1], found["threshold"]
    values = np.array([found.distances[name] for name in names])

    def paint(figure: Figure) -> None:
        bars, shares = figure.subplots(1, 2, width_ratios=(1.75, 1.0))
        y, right = np.arange(len(names)), 1.12 * max(threshold, *values)
        bars.barh(y, values, color=[CALM if found.covers(name) else QUIET for name in names], height=0.66)
        end = {"transform": bars.get_yaxis_transform(), "ha": "right", "color": MUTED}
        for place, (name, value) in enumerate(zip(names, values, strict=True)):
            bars.text(0.905, place, f"{value:.3f}", va="center", size=7.5, **end)
            bars.text(1.0, place, str(found.best[name]), va="center", size=7.5, **end)
        bars.text(0.905, len(names) - 0.3, "distance", va="bottom", size=7.5, **end)
        bars.text(1.0, len(names) - 0.3, "latent", va="bottom", size=7.5, **end)
        bars.axvline(threshold, color=INK, linewidth=1.0, linestyle=DASHED)
        bars.set_yticks(y, labels=[name.replace("_", " ") for name in names], fontsize=7.5)
        bars.set(xlabel="distance of the best latent", xlim=(0.0, 1.2 * right), ylim=(-0.6, len(names) - 0.4))
        bars.grid(visible=False)
        handles = [Patch(color=CALM, label="reproduced"), Patch(color=QUIET, label="not within the threshold")]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)

        at = np.concatenate(([0.0], np.sort(values), [right]))
        shares.step(at, np.minimum(np.arange(len(at)), len(values)) / len(values), where="post", color=CALM)
        shares.axvline(threshold, color=INK, linewidth=1.0, linestyle=DASHED)
        share = found.covered / len(values)
        shares.plot(threshold, share, "o", color=ACCENT)
        shares.annotate(
            f"{100 * share:.0f} % within {short(threshold)}",
            (threshold, share),
            (7, -4),
            textcoords="offset points",
            va="top",
            size=8.5,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.0},
        )
        shares.set(xlim=(0.0, right), ylim=(0.0, 1.02), xlabel="threshold", ylabel="coverage")

    return Picture(
        "clip-distances",
        "How near the best latent comes to each clip",
        "A clip's distance from a latent is the mean, over the clip's windows from end to end, of the distance to the "
        "nearest window of what the latent does; shown is the nearest of the latents tried, and its number. Dashed is "
        "the threshold within which a clip counts as reproduced. On the right, the share of clips that would count "
        "with any other.",
        paint,
        (10.4, max(3.4, 1.0 + ROW * len(names))),
    )
