"""The page of an imitation: what was tracked over the steps, how far off each clip is, some of them on film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
import yaml

from embodied.graphics import NoGraphics
from embodied.learning.evaluate import mean_actor
from embodied.learning.load import load
from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.library import MotionLibrary
from embodied.report.imitation import Imitation, read_imitation
from embodied.report.page import parts
from embodied.report.page.document import document
from embodied.report.page.parts import grid, key_figure, note, number, percent, section, table
from embodied.report.page.write import Written
from embodied.report.pictures.imitation import clip_errors, clips_over_steps, course, ranked, verdict
from embodied.report.style import Picture, draw, short
from embodied.report.tracking_film import TrackedFilm, film_tracked
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.progress import duration
from embodied.skills.tracking import TrackingTask
from embodied.skills.tracking_evaluation import (
    MAX_JOINT_ERROR,
    MAX_ROOT_ERROR,
    ClipResult,
    TrackingResult,
    evaluate_tracking,
)
from embodied.skills.tracking_run import TrackingRun, tracking_run

PARTS = (("course", "Course"), ("clips", "Clips"), ("films", "On film"), ("table", "Table"), ("run", "Run"))
FILMS = 5
"""Clips that are filmed, besides the one on top."""
LARGE, SMALL = (480, 352), (352, 256)
"""Sizes of films, pixels."""
WORDS = {"well": "tracked well", "off": "to its end, but off", "lost": "lost"}


@dataclass
class Shown:
    """What the page is made from."""

    run: Imitation
    folder: Path
    result: TrackingResult | None
    """How each clip is tracked: of the finished run, or by its latest checkpoint."""
    films: list[TrackedFilm] = field(default_factory=list)
    """The first is shown large."""
    missing: str | None = None
    """Why clips were not evaluated or filmed."""
    pictures: list[Path] = field(default_factory=list)

    def figure(self, picture: Picture | None) -> str:
        """A picture, drawn into the folder and embedded; nothing for none."""
        if picture is None:
            return ""
        self.pictures.append(draw(picture, self.folder))
        return parts.figure(picture, self.pictures[-1])


def write_imitation(path: Path, say: Callable[[str], None] = lambda _: None) -> Written:
    """Writes ``RUN/report/index.html`` of an imitation that is over or still going on.

    Args:
        path: the run's folder.
        say: told what is done next.

    Raises:
        UserError: the run has made no iteration yet, or cannot be read.
    """
    run = read_imitation(path)
    if not run.entries:
        raise UserError(f"{path} has made no iteration yet, so there is nothing to draw")
    folder = path / "report"
    folder.mkdir(exist_ok=True)
    shown = Shown(run, folder, run.evaluation)
    try:
        _play(shown, tracking_run(path), say)
    except (UserError, MotionError, NoGraphics) as error:
        shown.missing = str(error)
    say("drawing")
    content = "".join((_course(shown), _clips(shown), _films(shown), _table(shown), _record(run)))
    page = folder / "index.html"
    write_atomically(page, document(_title(shown), _head(shown), PARTS, content))
    return Written(page, shown.pictures, shown.missing)


def _play(shown: Shown, began: TrackingRun, say: Callable[[str], None]) -> None:
    """Evaluates a run under way, and films clips."""
    actor = mean_actor(load(shown.run.path))
    if shown.result is None:
        say("tracking every clip once")
        shown.result = evaluate_tracking(TrackingTask(began.library, began.config, each=True), began.body, actor, 1)
    large, others = chosen(shown.result, began.library.clips)
    for names, size, samples in (((large,), LARGE, 4), (others, SMALL, 0)):
        if names:
            say(f"filming {', '.join(names)}")
            clips = MotionLibrary([began.library.clips[began.library.index(name)] for name in names])
            place = shown.folder / "videos"
            shown.films += film_tracked(clips, began.config, began.body, actor, place, size, samples)


def chosen(result: TrackingResult, clips: Sequence[MotionClip]) -> tuple[str, list[str]]:
    """Clips to film: of those that are tracked well the one that goes fastest, and others from the best to the worst.

    Where none is tracked well, the first is the best.
    """
    order = ranked(result)
    speed = {clip.name: float(np.linalg.norm(np.diff(clip.root_pos, axis=0), axis=1).mean()) for clip in clips}
    rate = {clip.name: clip.frame_rate for clip in clips}
    well = [each.clip for each in order if each.good]
    first = max(well, key=lambda name: speed[name] * rate[name]) if well else order[0].clip
    rest = [each.clip for each in order if each.clip != first]
    places = np.unique(np.linspace(0, len(rest) - 1, min(FILMS, len(rest))).round().astype(int)) if rest else ()
    return first, [rest[place] for place in places]


def _title(shown: Shown) -> str:
    count = len(shown.result.clips) if shown.result else len(shown.run.clips)
    return f"Imitation of {count} clips by {Path(str(shown.run.config.get('robot'))).stem}"


def _head(shown: Shown) -> str:
    run = shown.run
    kicker = f"{run.steps:,} of {run.budget:,} environment steps"
    if not run.finished:
        kicker += " · under way or stopped"
    film = ""
    if shown.films:
        first = shown.films[0]
        end = "lost after" if first.lost else "tracked for"
        words = f"{_plain(first.clip).capitalize()}, {end} {first.seconds:.1f} s. Blue is the clip at the same time."
        film = f'<div class="show">{_video(shown.films[0], LARGE)}<p>{escape(words)}</p></div>'
    return (
        f'<header><p class="kicker">{escape(kicker)}</p><h1>{escape(_title(shown))}</h1>'
        f'<p class="finding">{escape(_finding(shown))}</p>'
        f'<div class="hero{"" if film else " plain"}">{film}<div class="keys">{"".join(_keys(shown))}</div></div>'
        "</header>"
    )


def _finding(shown: Shown) -> str:
    result = shown.result
    if result is None:
        share = shown.run.latest("tracking/share_to_end")
        return f"Of recent episodes, which begin anywhere in clips, {percent(share)} tracked theirs to its end."
    count = len(result.clips)
    when = "" if shown.run.finished else "By the latest checkpoint: "
    ends, good = round(result.share_to_end * count), round(result.share_good * count)
    return (
        f"{when}{ends} of {count} clips are tracked from their beginning to their end, {good} of them well: with less "
        f"than {MAX_JOINT_ERROR:g} rad and {MAX_ROOT_ERROR:g} m of mean error."
    )


def _keys(shown: Shown) -> list[str]:
    run, result, pace = shown.run, shown.result, shown.run.pace
    cells = []
    if result is not None:
        count = len(result.clips)
        cells += [
            ("clips tracked well", f"{round(result.share_good * count)} of {count}", "each once, by the mean action"),
            ("tracked to their end", f"{round(result.share_to_end * count)} of {count}", "and not lost on the way"),
            ("joint error", f"{result.joint_error:.3f} rad", "mean over all clips"),
            ("root error", f"{result.root_error:.3f} m", "mean over all clips"),
        ]
    recent = run.latest("tracking/share_to_end")
    cells += [
        ("of recent episodes to the end", percent(recent), "from anywhere in a clip, exploring"),
        ("score", number(run.latest("tracking/score")), "part of what these could earn that they earned"),
        ("environment steps", number(float(run.steps)), f"of {short(run.budget)} asked for"),
    ]
    if pace is not None:
        left = (run.budget - run.steps) / pace.rate
        rest = "" if run.finished or left <= 0 else f"; {duration(left)} left at this rate"
        cells += [
            ("steps a second", number(pace.rate), "median over iterations"),
            ("training time", duration(pace.seconds), f"pauses left out{rest}"),
        ]
    return [key_figure(value, label, said) for label, value, said in cells]


def _course(shown: Shown) -> str:
    run = shown.run
    lead = (
        "Episodes begin at random moments of clips and the policy explores, so these curves and the evaluation are "
        "not the same figures. Clips that go badly are practised more often; each counts the same here."
    )
    return section(
        "course",
        "Over the steps",
        lead,
        grid(*(shown.figure(picture) for picture in course(run))),
        shown.figure(clips_over_steps(run)),
    )


def _clips(shown: Shown) -> str:
    if shown.result is None:
        return section("clips", "Clip by clip", f"The clips were not evaluated: {shown.missing}.")
    return section("clips", "Clip by clip", _when(shown.run), shown.figure(clip_errors(shown.result)))


def _when(run: Imitation) -> str:
    if run.finished:
        return "The evaluation: every clip once, from its beginning, by the mean action, a looped one for a cycle."
    return (
        "The run is not finished. This is what its evaluation would be with the latest checkpoint: every clip once, "
        "from its beginning, by the mean action, a looped one for a cycle."
    )


def _films(shown: Shown) -> str:
    if not shown.films:
        return section("films", "On film", f"There are no films: {shown.missing}.")
    results = {clip.clip: clip for clip in shown.result.clips} if shown.result else {}
    cards = [_card(film, results.get(film.clip)) for film in shown.films[1:]]
    lead = (
        "Clips from the best tracked to the worst, each from its beginning; a film ends with the clip, when it is "
        "lost, or after three seconds. Blue is the clip."
    )
    return section("films", "On film", lead, f'<div class="gallery films">{"".join(cards)}</div>')


def _card(film: TrackedFilm, result: ClipResult | None) -> str:
    said = [f"lost after {film.seconds:.1f} s" if film.lost else f"the first {film.seconds:.1f} s"]
    if result is not None:
        said = [WORDS[verdict(result)]] * (not film.lost) + said
        said += [f"{result.joint_error:.3f} rad", f"{result.root_error:.3f} m"]
    words = " · ".join(each.replace(" ", "\u00a0") for each in said)
    return (
        f'<article class="card">{_video(film, SMALL)}<div class="words"><b>{escape(_plain(film.clip))}</b>'
        f"<span>{escape(words)}</span></div></article>"
    )


def _video(film: TrackedFilm, size: tuple[int, int]) -> str:
    return parts.video(film.path, f"{_plain(film.clip)}, tracked, and the clip", size, film.still)


def _plain(clip: str) -> str:
    return clip.replace("_", " ")


def _table(shown: Shown) -> str:
    if shown.result is None:
        rows = [(_plain(name), percent(shown.run.latest(f"clip/{name}"))) for name in shown.run.clips]
        return section("table", "Table", "", table(("clip", "recent episodes tracked to the end"), rows))
    rows = [
        (
            _plain(clip.clip),
            WORDS[verdict(clip)],
            f"{clip.seconds:.2f} of {clip.duration:.2f} s",
            f"{clip.joint_error:.3f}",
            f"{clip.root_error:.3f}",
            percent(shown.run.latest(f"clip/{clip.clip}")),
        )
        for clip in ranked(shown.result)
    ]
    head = ("clip", "", "tracked for", "joint error, rad", "root error, m", "recent episodes to the end")
    words = (
        f"Tracked well: to its end, with a mean joint error below {MAX_JOINT_ERROR:g} rad and a mean root error below "
        f"{MAX_ROOT_ERROR:g} m. Errors of a clip that was lost are those up to then."
    )
    return section("table", "Every clip", "", table(head, rows, words))


def _record(run: Imitation) -> str:
    config = yaml.safe_dump(run.config, sort_keys=False)
    ended = run.latest("unhealthy_episodes") or 0
    said = f"{int(run.latest('episodes') or 0):,} episodes; the physics of {int(ended):,} failed."
    details = f"<details><summary>Configuration of the run</summary><pre>{escape(config)}</pre></details>"
    return section("run", "The run", "", note(said), details)
