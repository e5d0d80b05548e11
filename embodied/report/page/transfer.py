"""The page's part on transfer: how the best bodies learn other tasks, evolution arenas side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from embodied.report.page.material import Material
from embodied.report.page.parts import note, section
from embodied.report.pictures.transfer import transfer_picture
from embodied.report.transfer import FIGURES, UNITS, Group, Results, best_of, cell, groups, metric_name, tasks_of

TITLE = "Other tasks"


def transfer(material: Material) -> str:
    """The table and its picture; a sentence where nothing was transferred."""
    found = [results for results in material.transfers if results.trained]
    if not found:
        lead = (
            "The bodies were not trained on other tasks. embodied transfer does that with the best of them, and "
            "embodied report then shows here what they reached."
        )
        return section("transfer", TITLE, lead)
    words = (
        "In each cell the mean return, and below it the mean of what the task is judged by, ± the standard deviation "
        "over bodies. Marked is the greatest mean of a row, which a few bodies may owe to chance where the spreads "
        "overlap."
    )
    return section(
        "transfer",
        TITLE,
        _lead(found),
        _table(found),
        note(" ".join((words, *_caveats(found)))),
        material.figure(transfer_picture(found)),
    )


def _lead(found: Sequence[Results]) -> str:
    arenas = [results.source.task.replace("_", " ") for results in found]
    most = max(sum(body.rank is not None for body in results.bodies) for results in found)
    best = "the best body" if most == 1 else f"the {most} best bodies"
    where = f"of the evolution on {arenas[0]}" if len(found) == 1 else f"of evolutions on {_listed(arenas)}"
    return (
        f"How {best} {where} learn{'s' if most == 1 else ''} tasks that no selection was for, beside the best of the "
        "initial population. Every body learns each task from nothing: what evolution gave is the body alone."
    )


def _listed(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _caveats(found: Sequence[Results]) -> list[str]:
    said = []
    if len({(results.steps, results.episodes) for results in found}) > 1:
        said.append("The transfers differ in steps or episodes.")
    if len({results.source.lifetimes for results in found}) > 1:
        lived = ", ".join(f"{results.source.lifetimes:,} on {results.source.task}" for results in found)
        said.append(f"The evolutions had different numbers of lifetimes: {lived}.")
    if unfinished := sum(results.unfinished for results in found):
        said.append(f"{_trainings(unfinished)} not finished yet.")
    if failed := sum(results.failed for results in found):
        said.append(f"{_trainings(failed, 'has', 'have')} failed and {'is' if failed == 1 else 'are'} left out.")
    return said


def _trainings(number: int, one: str = "is", more: str = "are") -> str:
    return f"1 training {one}" if number == 1 else f"{number:,} trainings {more}"


def _table(found: Sequence[Results]) -> str:
    columns = groups(found)
    heads = "".join(
        f"<th scope=col>{escape(group.label)}<small>{_bodies(len(group.lifetimes))}</small></th>" for group in columns
    )
    rows = "".join(_row(found, columns, task) for task in tasks_of(found))
    return (
        f'<div class="scroll"><table class="small transfer"><thead><tr><th scope=col></th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _bodies(number: int) -> str:
    return "1 body" if number == 1 else f"{number} bodies"


def _row(found: Sequence[Results], columns: Sequence[Group], task: str) -> str:
    best = {figure: best_of(columns, task, figure) for figure in FIGURES}
    name = metric_name(found, task)
    below = f"<small>{escape(UNITS.get(task, name.replace('_', ' ')))}</small>" if name else ""
    cells = "".join(
        f"<td>{_marked(str(cell(group, task, 'return')), group in best['return'])}"
        + (f"<small>{_marked(str(cell(group, task, 'metric')), group in best['metric'])}</small>" if name else "")
        + "</td>"
        for group in columns
    )
    return f"<tr><th scope=row>{escape(task.replace('_', ' '))}{below}</th>{cells}</tr>"


def _marked(text: str, is_best: bool) -> str:
    return f'<b class="best">{escape(text)}</b>' if is_best else escape(text)
