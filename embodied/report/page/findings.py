"""The page's second half: how bodies learn, what they are like, how many kinds there are, what operators did."""

from __future__ import annotations

import math
from html import escape

import yaml

from embodied.report.history import History
from embodied.report.learning import groups, speeds, to_criterion, truncations
from embodied.report.lineage import window
from embodied.report.operators import effects
from embodied.report.page.lifetimes import lifetimes
from embodied.report.page.material import Material
from embodied.report.page.parts import grid, note, number, percent, section, table
from embodied.report.pictures.diversity import diversity_pictures
from embodied.report.pictures.learning import learning_curves, learning_speed
from embodied.report.pictures.nature import nature
from embodied.report.pictures.operators import operators
from embodied.report.science import curve_to_fitness, middle
from embodied.report.topologies import sharing, sharing_table

SHOWN_FAILURES = 10
CARE = (
    "What this can show: whether later bodies reach a fixed level earlier, in lifetimes of this length. What it "
    "cannot: that evolution makes bodies learn faster, as the Baldwin effect has it. Selection at the end of a "
    "short lifetime takes quick bodies before good ones: AdaControl (Song et al.) reports the effect to be an "
    "artefact of truncated training, and LOKI that the best bodies after 5 and after 15 million steps are largely "
    "different ones. Where the ranking at half of the budget is not that at its end, nothing says that the one at "
    "its end is final; more steps a lifetime on the best and some of the other bodies do."
)


def learning(material: Material) -> str:
    """Learning curves, the Baldwin question, and truncation beside it."""
    history = material.history
    if not history.curves:
        return section("learning", "Learning", "The ledger holds no learning curves.")
    pictures = learning_speed(history)
    return section(
        "learning",
        "Learning",
        _learning_lead(history),
        material.figure(learning_curves(history)),
        grid(*(material.figure(picture) for picture in pictures)),
        f'<p class="note care">{escape(CARE)}</p>',
        _cut_short(history),
    )


def _learning_lead(history: History) -> str:
    found = [speed for speed in speeds(groups(history), to_criterion(history)) if speed.number >= 3]
    said = ""
    if len(found) > 1:
        first, last = found[0], found[-1]
        told = [
            f"{number(speed.median)} steps" if math.isfinite(speed.median) else "more than a lifetime"
            for speed in (first, last)
        ]
        what = "generation " if any(life.generation for life in history.lives) else "lifetimes "
        said = (
            f"The median body of {what}{first.label} takes {told[0]} to the criterion, that of {what}{last.label} "
            f"takes {told[1]}. "
        )
        if not any(life.generation for life in history.lives):
            said += "Nothing is selected here, so a change between them is chance: a measure of what chance can do. "
    half = next(each for each in truncations(history) if each.share == 0.5)
    if math.isfinite(half.correlation):
        said += (
            f"Read at half of the budget, the curves rank the bodies with a correlation of {half.correlation:.2f} to "
            f"their ends, and share {half.top_shared} of the best {half.top}."
        )
        if math.isfinite(agreement := curve_to_fitness(history)):
            said += f" The curves' ends themselves agree with the evaluation at {agreement:.2f}."
    return said


def _cut_short(history: History) -> str:
    if not history.rungs:
        return ""
    numbers = sorted({row["rung"] for row in history.rungs})
    rows = []
    for rung in numbers:
        here = [row for row in history.rungs if row["rung"] == rung]
        on = sum(bool(row["goes_on"]) for row in here)
        steps = number(float(here[0]["steps"]))
        rows.append((f"rung {rung + 1}, at {steps} steps", f"{len(here):,}", f"{on:,}", f"{len(here) - on:,}"))
    had, due = sum(life.steps for life in history.lives), sum(life.budget for life in history.lives)
    return "<h3>Lifetimes cut short</h3>" + table(
        ("", "reached", "went on", "cut short"),
        rows,
        f"Asynchronous successive halving spared {percent(1 - had / due if due else None)} of the environment steps. A "
        "lifetime that was cut short has the fitness that it had then, which changes who can become a parent.",
    )


def character(material: Material) -> str:
    """Energy and stability."""
    history = material.history
    early, late = history.initial, window(history)
    said = [
        f"{name} from {told(middle(early, key))} to {told(middle(late, key))}"
        for key, name, told in (
            ("cost_of_transport", "median cost of transport", number),
            ("speed", "median speed in m/s", number),
        )
    ]
    stand = f"bodies that stand without motors in most trials from {percent(_standing(early))}"
    lead = (
        f"From the initial population to the last {len(late)} lifetimes: {', '.join(said)}; {stand} to "
        f"{percent(_standing(late))}."
    )
    return section(
        "nature", "Energy and stability", lead, grid(*(material.figure(picture) for picture in nature(history)))
    )


def _standing(lives: list) -> float | None:
    values = [value for life in lives if math.isfinite(value := life.measure("stands"))]
    return sum(value > 0.5 for value in values) / len(values) if values else None


def variety(material: Material) -> str:
    """Diversity over the run, and the maps of cells."""
    lead = "Bodies are sorted into cells by their number of limbs and their height at rest."
    drawn = [material.figure(picture) for picture in diversity_pictures(material.history, material.beside)]
    head, *rows = sharing_table(sharing(material.history))
    words = (
        "Bodies of one topology have the same tree of limbs and hinges and differ in numbers alone: a GPU can train "
        "them together. Told is the share of a generation's bodies whose topology so many of it have, themselves "
        "included."
    )
    kinds = "<h3>Bodies that share a topology</h3>" + table(head, rows, words)
    return section("diversity", "Diversity", lead, grid(*drawn), kinds)


def mutation(material: Material) -> str:
    """What operators did."""
    picture = operators(material.history)
    if picture is None:
        return section("operators", "Mutation", "No body of this run was mutated from another.")
    rows = [
        (
            effect.operator.replace("_", " "),
            f"{effect.number:,}",
            percent(effect.improved),
            number(effect.median),
            number(float(effect.changes.max())) if effect.number else "–",
            f"{effect.attempts:,}",
            f"{effect.fruitless:,}",
        )
        for effect in effects(material.history)
    ]
    words = (
        "Attempts are proposals, accepted ones included; an operator is fruitless where none of its proposals gave a "
        "valid body and another was drawn."
    )
    heads = ("operator", "children", "improved", "median change", "largest", "attempts", "fruitless")
    return section("operators", "Mutation", "", material.figure(picture), table(heads, rows, words))


def records(material: Material) -> str:
    """All lifetimes, what failed, and the configuration."""
    history = material.history
    lead = "Choose a heading to sort by it."
    config = yaml.safe_dump(history.config, sort_keys=False)
    details = f"<details><summary>Configuration of the run</summary><pre>{escape(config)}</pre></details>"
    return section("lifetimes", "All lifetimes", lead, _failures(history), lifetimes(history), details)


def _failures(history: History) -> str:
    if not history.failures:
        return ""
    rows = [
        (
            f"lifetime {row['id']}",
            row["failure"] or "error",
            f"{row['environment_steps'] or 0:,}",
            (row["error"] or "").strip().splitlines()[-1][:160] if (row["error"] or "").strip() else "–",
        )
        for row in history.failures[:SHOWN_FAILURES]
    ]
    more = len(history.failures) - SHOWN_FAILURES
    words = f"And {more:,} more, in the ledger." if more > 0 else ""
    intro = note(f"{len(history.failures):,} lifetimes failed; they are nobody's parents and have no fitness.")
    return intro + table(("", "kind", "steps", "error"), rows, words)
