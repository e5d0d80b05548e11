"""The page of a skill prior: what it can do, sixteen latents on film, how near each clip is, how it learned."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import yaml

from embodied.graphics import NoGraphics
from embodied.motion.clip import MotionError
from embodied.report.latents import ShownLatent, film_of
from embodied.report.page import parts
from embodied.report.page.document import document
from embodied.report.page.parts import grid, key_figure, note, number, percent, section, table
from embodied.report.page.write import Written
from embodied.report.pictures.repertoire import clip_distances, course, taught
from embodied.report.repertoire import Evaluation, RepertoireRun, read_repertoire
from embodied.report.skills_film import LatentsFilm
from embodied.report.style import Picture, draw, short
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.folder import CONFIG
from embodied.runs.progress import duration
from embodied.skills.ase import evaluation as evaluating


@dataclass
class Shown:
    """What the page is made from."""

    run: RepertoireRun
    folder: Path
    film: LatentsFilm | None = None
    latents: tuple[ShownLatent, ...] = ()
    """Of the film."""
    missing: str | None = None
    """Why there is no film."""
    pictures: list[Path] = field(default_factory=list)

    def figure(self, picture: Picture) -> str:
        """A picture, drawn into the folder and embedded."""
        self.pictures.append(draw(picture, self.folder))
        return parts.figure(picture, self.pictures[-1])


def write_repertoire(path: Path, say: Callable[[str], None] = lambda _: None) -> Written:
    """Writes ``RUN/report/index.html`` of a pre-training that is over or still going on.

    Args:
        path: the run's folder.
        say: told what is done next.

    Raises:
        UserError: the run has made no iteration yet, or cannot be read.
    """
    run = read_repertoire(path)
    if not run.entries:
        raise UserError(f"{path} has made no iteration yet, so there is nothing to draw")
    folder = path / "report"
    folder.mkdir(exist_ok=True)
    shown = Shown(run, folder)
    say("filming sixteen latents")
    try:
        shown.film, shown.latents = film_of(run, folder / "latents.mp4")
    except (UserError, MotionError, NoGraphics) as error:
        shown.missing = str(error)
    say("drawing")
    sections = [
        ("film", "Sixteen latents", _film(shown)),
        ("clips", "Clips", _clips(shown)),
        ("course", "Over the steps", _course(shown)),
        ("lessons", "Taught first", _lessons(shown)),
        ("table", "Table", _table(run)),
        ("run", "Run", _record(run)),
    ]
    there = [(name, words, content) for name, words, content in sections if content]
    page = folder / "index.html"
    links = [(name, words) for name, words, _ in there]
    text = document(_title(run), _head(run), links, "".join(content for _, _, content in there))
    write_atomically(page, text)
    return Written(page, shown.pictures, shown.missing)


def _title(run: RepertoireRun) -> str:
    count = len(run.evaluation.distances) if run.evaluation else len(run.clips)
    robot = Path(run.config["robot"]).stem
    return f"A repertoire of {count} clips for {robot}" if count else f"A repertoire for {robot}"


def _head(run: RepertoireRun) -> str:
    kicker = f"{run.steps:,} of {run.budget:,} environment steps"
    if not run.finished:
        kicker += " · under way or stopped"
    keys = _measured(run.evaluation) if run.evaluation else _live(run)
    return (
        f'<header><p class="kicker">{escape(kicker)}</p><h1>{escape(_title(run))}</h1>'
        f'<p class="finding">{escape(_finding(run))}</p>{_unfinished(run)}'
        f'<div class="hero plain"><div class="keys">{"".join((*keys, *_effort(run)))}</div></div></header>'
    )


def _finding(run: RepertoireRun) -> str:
    found = run.evaluation
    if found is None:
        return (
            f"Of what the policy did last, {percent(run.latest('clips/near'))} is near to some clip, and its encoder "
            f"agrees with its latents by {number(run.latest('discriminator/agreement'))}."
        )
    used = len({found.best[name] for name in found.distances if found.covers(name)})
    ones = f", {used} different ones" if used > 1 else ""
    floor = (
        f"which is below the floor of {found['diversity_floor']:g}: the prior has collapsed, and does much the same "
        "whatever its latent is"
        if found.collapsed
        else f"where less than {found['diversity_floor']:g} would be a collapse"
    )
    return (
        f"{found.covered} of {len(found.distances)} clips are reproduced within a distance of "
        f"{found['threshold']:g} by some of {len(found.latents)} latents{ones}. "
        f"Joint targets differ by {found['diversity']:.3f} rad between latents, {floor}."
    )


def _unfinished(run: RepertoireRun) -> str:
    """What is missing of a run under way, and how to get it."""
    if run.finished:
        return ""
    place = shlex.quote(str(run.path))
    go_on = f"embodied pretrain ase --config {shlex.quote(str(run.path / CONFIG))} --out {place} --resume"
    stored = [int(each.name) for each in (run.path / "checkpoints").glob("*") if each.name.isdigit()]
    end = (
        f" With <code>--steps {max(stored)}</code> added, its latest checkpoint is evaluated at once." if stored else ""
    )
    return (
        '<p class="care">Not measured yet, for the evaluation comes at the run\'s end: coverage of the clips, '
        "diversity in rad, transitions when latents are switched, falls. Below are live figures of the policy that "
        f"explores. If it is not running, <code>{escape(go_on)}</code> goes on with it.{end}</p>"
    )


def _measured(found: Evaluation) -> list[str]:
    """Cards of an evaluation."""
    count, worlds = len(found.distances), len(found.latents) * evaluating.STARTS
    told = f"{percent(found['right_on_agent'])}, {percent(found['right_on_clips'])}"
    floor = f"floor {found['diversity_floor']:g} rad" + (": collapsed" if found.collapsed else "")
    cells = (
        (
            f"{found.covered} of {count}",
            "clips reproduced",
            f"{percent(found.covered / count)}; within {found['threshold']:g} of some of {len(found.latents)} latents",
        ),
        (f"{found['agreement']:.2f}", "encoder agreement", "0 heeds no latent, 1 is the best"),
        (f"{found['diversity']:.3f} rad", "between two latents' actions", floor),
        (
            percent(found["transitions"]),
            "of switches lead to another clip",
            f"latents switched every {evaluating.SWITCH:g} s; {found['transition_pairs']:,} different pairs of clips",
        ),
        (f"{found['falls']:,}", "falls", f"among {worlds:,} robots, {evaluating.SECONDS:g} s each"),
        (told, "told by the discriminator", "of the prior's windows, and of the clips'"),
    )
    return [key_figure(*cell) for cell in cells]


def _live(run: RepertoireRun) -> list[str]:
    """Cards of a run under way."""
    told = [percent(run.latest(f"discriminator/right_on_{whom}")) for whom in ("agent", "clips")]
    cells = (
        (number(run.latest("discriminator/agreement")), "encoder agreement", "0 heeds no latent, 1 is the best"),
        (percent(run.latest("clips/near")), "near to some clip", "of what the policy does"),
        (
            number(run.latest("clips/effective")),
            "clips, if used alike",
            f"of {len(run.clips)}" if run.clips else "that near windows were nearest to",
        ),
        (number(run.latest("action_diversity")), "between two latents' actions", "units of the action"),
        (percent(run.latest("clips/transitions")), "of looks find another clip", "8 control steps apart"),
        (", ".join(told), "told by the discriminator", "of the policy's windows, and of the clips'"),
    )
    return [key_figure(*cell) for cell in cells]


def _effort(run: RepertoireRun) -> list[str]:
    """Cards on what it took."""
    took = [f"of {short(run.budget)} asked for"]
    if run.pace is not None:
        took.append(f"{duration(run.pace.seconds)} at {number(run.pace.rate)} a second")
        left = (run.budget - run.steps) / run.pace.rate
        took += [f"{duration(left)} left"] if left > 0 and not run.finished else []
    cells = [(number(float(run.steps)), "environment steps", "; ".join(took))]
    if run.lessons is not None:
        said = f"after {short(float(run.lessons.steps[-1]))} steps of teaching" + (
            f", {run.teacher}" if run.teacher else ""
        )
        cells.append((f"{run.lessons.error[-1]:.3f}", "of an action off its teacher", said))
    return [key_figure(*cell) for cell in cells]


def _film(shown: Shown) -> str:
    film = shown.film
    if film is None:
        return section("film", "Sixteen latents on film", f"There is no film: {shown.missing}.")
    near = sum(each.clip is not None for each in shown.latents)
    lead = f"Each robot holds one latent for {film.seconds:.0f} s; all begin alike, and one that falls begins again. "
    if near:
        lead += (
            f"Shown are the latents that come nearest to clips, the nearest first, each with its number, the clip and "
            f"its distance{'' if near == len(shown.latents) else f'; the last {len(shown.latents) - near} at random'}."
        )
    else:
        lead += "The latents are drawn at random; once the run is evaluated, those nearest to clips are shown."
    fell = sum(1 for falls in film.falls if falls)
    said = f"{fell or 'None'} of {len(film.falls)} robots fell. The film alone: report/{film.path.name}."
    label = f"{len(film.falls)} latents, each held by a robot of its own"
    shot = parts.video(film.path, label, film.size, film.still)
    words = f"<figcaption>{escape(said)}</figcaption>"
    return section("film", "Sixteen latents on film", lead, f'<figure class="plot wide screen">{shot}{words}</figure>')


def _clips(shown: Shown) -> str:
    found = shown.run.evaluation
    if found is None:
        return ""
    best = next(iter(found.distances))
    worst = list(found.distances)[-1]
    lead = (
        f"Nearest is {_plain(best)} with {found.distances[best]:.2f}, farthest {_plain(worst)} with "
        f"{found.distances[worst]:.2f}; two moments drawn at random from the clips are 1.41 apart. Some clips hold "
        "others, as a walk that stops holds a walk: those are found together."
    )
    return section("clips", "Clip by clip", lead, shown.figure(clip_distances(found)))


def _course(shown: Shown) -> str:
    run = shown.run
    lead = "Under latents at random and with the noise of exploring, so these are not the evaluation's figures."
    if run.rested:
        lead += (
            f" Shaded are the first {run.rested:,} steps: the actor, taught before, rested while critic, discriminator "
            "and encoder learned."
        )
    return section("course", "Over the steps", lead, grid(*(shown.figure(picture) for picture in course(run))))


def _lessons(shown: Shown) -> str:
    pictures = taught(shown.run)
    if not pictures:
        return ""
    teacher = shown.run.teacher
    lead = (
        f"Before anything adversarial the decoder learned to do what {teacher or 'a tracking policy'} would do, a "
        "policy that tracks the same clips and is shown one all the time, which a prior is not."
    )
    return section("lessons", "Taught first", lead, grid(*(shown.figure(picture) for picture in pictures)))


def _table(run: RepertoireRun) -> str:
    found = run.evaluation
    if found is None:
        return ""
    alike = {number: [name for name in found.distances if found.best[name] == number] for number in found.best.values()}
    rows = [
        (
            _plain(name),
            "reproduced" if found.covers(name) else "",
            f"{distance:.3f}",
            str(found.best[name]),
            ", ".join(_plain(other) for other in alike[found.best[name]] if other != name) or "–",
        )
        for name, distance in found.distances.items()
    ]
    at = ", ".join(f"{percent(share)} within {float(each):g}" for each, share in found.plain["coverage_at"].items())
    words = f"Numbers are those of the latents in evaluation.json. Coverage with other thresholds: {at}."
    head = ("clip", "", "distance", "best latent", "which is the best for these too")
    return section("table", "Every clip", "", table(head, rows, words))


def _record(run: RepertoireRun) -> str:
    config = yaml.safe_dump(run.config, sort_keys=False)
    ended = run.latest("unhealthy_episodes") or 0
    said = f"{int(run.latest('episodes') or 0):,} episodes; the physics of {int(ended):,} failed."
    details = f"<details><summary>Configuration of the run</summary><pre>{escape(config)}</pre></details>"
    return section("run", "The run", "", note(said), details)


def _plain(clip: str) -> str:
    return clip.replace("_", " ")
