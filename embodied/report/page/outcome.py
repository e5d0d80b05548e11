"""The page's first half: what came of the run, its best bodies, and where they come from."""

from __future__ import annotations

from html import escape

from embodied.evolution.archive import CELLS
from embodied.report.compare import LAST, caveats, paired
from embodied.report.diversity import elites
from embodied.report.films import filmed_line
from embodied.report.history import History, Life
from embodied.report.lineage import ancestors, depth, founders, living_founders, window
from embodied.report.page.material import Material
from embodied.report.page.parts import body_card, grid, key_figure, note, number, percent, section, table
from embodied.report.pictures.descent import generations, takeover_picture, tree
from embodied.report.pictures.progress import progress
from embodied.report.science import middle
from embodied.report.style import short

BEST, KINDS = 6, 12
"""Bodies in the gallery: the best of all, and the best of other kinds."""
SEARCHES = {
    "tournament": "Tournament with ageing",
    "random": "Random search",
    "nsga2": "NSGA-II",
    "map-elites": "MAP-Elites",
}


def title(history: History) -> str:
    """What the run is."""
    return f"{SEARCHES.get(history.search, history.search)} on {history.config.get('task')}"


def finding(history: History, beside: History | None) -> str:
    """The run in a sentence or two."""
    best, initial = history.best, history.initial_best
    said = f"The best body has a fitness of {short(best.fitness)}"
    if initial is not None and initial.fitness > 0 and best.id != initial.id:
        said += f", {best.fitness / initial.fitness:.1f} times that of the best initial body"
    elif initial is not None and best.id == initial.id:
        said += "; it is one of the initial bodies, and nothing better has come since"
    if beside is not None and beside.best.fitness > 0:
        ratio = best.fitness / beside.best.fitness
        said += f", and {ratio:.1f} times that of the best body of {_name(beside)}"
    return f"{said}."


def _name(history: History) -> str:
    return "random search" if history.search == "random" else f"the {history.search} run"


def head(material: Material) -> str:
    """Title, finding, the best body in motion, and key figures."""
    history = material.history
    best = history.best
    born = len(history.ended) + history.running
    parts = [f"{born:,} lifetimes of {_steps(history)} environment steps" if born > 1 else "One lifetime"]
    parts += [f"{count:,} {what}" for count, what in _counts(history) if count]
    kicker = " · ".join(parts)
    show = material.moving(best)
    shown = f'<div class="show">{show}<p>{_said_of_best(show, best)}</p></div>' if show else ""
    keys = f'<div class="keys">{"".join(_keys(history))}</div>'
    return (
        f'<header><p class="kicker">{escape(kicker)}</p><h1>{escape(title(history))}</h1>'
        f'<p class="finding">{escape(finding(history, material.beside))}</p>'
        f'<div class="hero{"" if show else " plain"}">{shown}{keys}</div></header>'
    )


def _counts(history: History) -> list[tuple[int, str]]:
    cut = sum(life.cut_short for life in history.lives)
    return [(history.running, "still running"), (len(history.failures), "failed"), (cut, "cut short")]


def _said_of_best(show: str, best: Life) -> str:
    moving = ", under the controller that it learned" if show.startswith("<video") else ", at rest"
    return f"The best body, lifetime {best.id}{moving}."


def _steps(history: History) -> str:
    return f"{int(history.config.get('steps', history.best.budget)):,}"


def _keys(history: History) -> list[str]:
    best, initial = history.best, history.initial_best
    living = window(history)
    cells = {
        "best fitness": (number(best.fitness), f"95 %: {number(best.fitness_low)} to {number(best.fitness_high)}"),
        "best initial body": (
            number(initial.fitness if initial else None),
            f"of {len(history.initial)} drawn at random",
        ),
        f"median of the last {len(living)}": (
            number(_median(living)),
            f"initial population: {number(_median(history.initial))}",
        ),
        "environment steps": (number(float(sum(steps for steps, _ in history.ended))), "all lifetimes together"),
        "speed of the best": (
            f"{number(best.measures.get('speed'))} m/s",
            f"{number(best.measures.get('distance'))} m in an episode",
        ),
        "cost of transport": (
            number(best.measures.get("cost_of_transport")),
            f"J/(kg m); median at the end {number(middle(living, 'cost_of_transport'))}",
        ),
        "stands without motors": (
            percent(best.measures.get("stands")),
            f"the best, in trials; pushed {percent(best.measures.get('stands_pushed'))}",
        ),
    }
    if depth(history):
        cells["generations"] = (number(depth(history)), f"the best is of generation {best.generation}")
        families = f"of {len(set(founders(history).values())):,} founders"
        cells["families alive"] = (number(living_founders(history)), families)
    else:
        archive = elites(history)
        cells["coverage"] = (percent(archive.coverage), f"{len(archive.elites)} of {CELLS} kinds of bodies tried")
        cells["quality-diversity"] = (number(archive.quality_diversity), "best fitness, summed over kinds")
    return [key_figure(value, label, said) for label, (value, said) in cells.items()]


def _median(lives: list[Life]) -> float | None:
    if not lives:
        return None
    ordered = sorted(life.fitness for life in lives)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def fitness(material: Material) -> str:
    """Fitness over the run, with paired figures where another run stands beside it."""
    history, beside = material.history, material.beside
    pictures = grid(*(material.figure(picture) for picture in progress(history, beside)))
    lead = (
        "Fitness is the mean, over the evaluation's full episodes after learning, of what the task measures. All "
        "bodies learn from nothing: a child inherits its body alone."
    )
    return section("fitness", "Fitness", lead, pictures, _paired(history, beside) if beside else "")


def _paired(history: History, beside: History) -> str:
    figures = paired(history, beside)
    one, other, less, ratio = (figures[name] for name in ("run", "beside", "difference", "ratio"))
    rows = [
        (
            name,
            number(one[key]),
            number(other[key]),
            number(less.get(key)),
            f"{ratio[key]:.2f}" if ratio.get(key) is not None else "–",
        )
        for key, name in (
            ("best", "best of all"),
            ("last_16_best", f"best of the last {LAST}"),
            ("last_16_median", f"median of the last {LAST}"),
            ("initial_best", "best initial body"),
            ("steps_to_initial_best", "environment steps until a later body beat it"),
            ("environment_steps", "environment steps in all"),
        )
    ]
    start = "Both began with the same initial bodies." if figures["same_initial_bodies"] else "Initial bodies differ."
    passed = figures["steps_to_beside_best"]
    overtaken = (
        f"This run passed all that {_name(beside)} ever found after {number(passed)} environment steps."
        if passed is not None
        else f"This run never passed the best of {_name(beside)}."
    )
    words = " ".join(
        [start, overtaken, *caveats(history, beside), "One pair of runs is an anecdote: repeat it on seeds."]
    )
    return table(("", history.search, beside.search, "difference", "ratio"), rows, words)


def gallery(material: Material) -> str:
    """The best bodies, each genome once, and the best of each kind."""
    ranked = sorted(material.history.lives, key=lambda life: (-life.fitness, life.id))
    best: dict[str, Life] = {}
    for life in ranked:
        best.setdefault(life.fingerprint, life)
    first = list(best.values())[:BEST]
    kinds = sorted((life for _, life in elites(material.history).elites.values()), key=lambda life: -life.fitness)
    rest = [life for life in kinds if life not in first][:KINDS]
    lead = "Every body in its rest pose, seen from ahead; each fills its picture, so sizes do not compare."
    if material.portraits.missing:
        lead = "There are no pictures of bodies and no films: " + material.portraits.missing + "."
    of_each = (
        "<h3>The best of other kinds</h3>"
        + note("One body for each cell of limbs and height, the fittest first.")
        + _cards(material, rest)
        if rest
        else ""
    )
    return section("gallery", "The best bodies", lead, _cards(material, first, ranks=True), of_each)


def _cards(material: Material, lives: list[Life], ranks: bool = False) -> str:
    cards = [
        body_card(life, material.portrait(life), str(rank) if ranks else "") for rank, life in enumerate(lives, start=1)
    ]
    return f'<div class="gallery">{"".join(cards)}</div>'


def family(material: Material) -> str:
    """The tree, the line of the best in motion, and who took over; for a random search a sentence."""
    history = material.history
    if not depth(history):
        lead = "Every body was drawn at random or is the first of its family: nobody has a parent, so there is no tree."
        return section("family", "Family", lead)
    line = ancestors(history, history.best)
    lead = (
        f"The best body has {len(line) - 1} ancestors. Of {len(set(founders(history).values())):,} founders, "
        f"{living_founders(history)} have descendants among the last {len(window(history))} lifetimes."
    )
    cards = [body_card(life, material.moving(life)) for life in filmed_line(history)]
    films = f'<div class="gallery films">{"".join(cards)}</div>'
    some = note(f"Films could not be made of all of them: {material.films.missing}.") if material.films.missing else ""
    words = note(
        "The line of the best body, from its founder, each under the controller that it learned itself, in the first "
        "seconds of an episode."
    )
    return section(
        "family",
        "Family",
        lead,
        material.figure(tree(history, material.portraits)),
        films,
        words,
        some,
        grid(material.figure(takeover_picture(history)), material.figure(generations(history))),
    )
