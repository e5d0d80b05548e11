"""The page's drawings and words, from rows of a real ledger that nobody has to live for."""

import dataclasses
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pytest

from embodied.evolution.ledger import Birth, Ledger
from embodied.report.viewer import words
from embodied.report.viewer.chart import chart, thinned
from embodied.report.viewer.picture import ticks
from embodied.report.viewer.sweep import Watch, course_of, figures_of, lineage, read_rows
from embodied.report.viewer.tree import tree
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from morphologies import find_body, fingerprint, to_json
from tests.evolution.short import outcome


def birth(number, parent=None, generation=0):
    genome = find_body("tripod").genome
    operator = None if parent is None else "limb_params"
    return Birth(number, parent, generation, operator, 1, {}, to_json(genome), fingerprint(genome), number)


@pytest.fixture
def run(tmp_path):
    """Of six: 0 and 1 are initial, 2 and 3 descend from 1, 4 from 3 failed, 5 from 3 lives."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for number, parent, fitness in ((0, None, 10.0), (1, None, 30.0), (2, 1, 20.0), (3, 1, 50.0)):
        ledger.begin(birth(number, parent))
        ledger.finish(number, outcome(fitness))
    ledger.begin(birth(4, 3))
    ledger.fail(4, "died", "killed <often>", 100)
    ledger.begin(birth(5, 3))
    ledger.close()
    (tmp_path / "lifetimes" / "000005" / "checkpoints" / "000000002048").mkdir(parents=True)
    (tmp_path / "lifetimes" / "000005" / "checkpoints" / "000000004096").mkdir()
    return tmp_path


def many(count):
    """Rows of an evolution in which every lifetime descends from the one of half its number."""
    return [
        {
            "id": n,
            "parent": n // 2 if n >= 8 else None,
            "operator": "gear",
            "status": "running" if n >= count - 4 else "finished",
            "fitness": None if n >= count - 4 else float(n % 97),
        }
        for n in range(count)
    ]


def test_figures_and_course_are_those_of_the_rows(run):
    sweep = Watch(run).look()
    figures = figures_of(sweep, population=2)
    assert dataclasses.asdict(figures) == {
        "finished": 4,
        "failed": 1,
        "running": 1,
        "born": 6,
        "best": 50.0,
        "best_id": 3,
        "median": 35.0,  # of the latest two, 20 and 50
    }
    assert sweep.steps == {5: 4096}
    course = course_of(sweep.finished, population=2)
    assert course.best == [10.0, 30.0, 30.0, 50.0]
    assert course.median == [10.0, 20.0, 25.0, 35.0]
    assert lineage(sweep.rows, 5) == [5, 3, 1]


def test_a_ledger_is_read_again_only_when_something_has_changed(run):
    watch = Watch(run)
    first = watch.look()
    assert watch.look() is None
    ledger = Ledger(run / "ledger.sqlite")
    ledger.finish(5, outcome(60.0))
    second = watch.look()
    assert second.best["id"] == 5
    assert first.best["id"] == 3
    assert watch.look() is None
    ledger.begin(birth(6, 5))
    assert watch.look().running[0]["id"] == 6
    (run / "lifetimes" / "000006" / "checkpoints" / "000000000512").mkdir(parents=True)
    assert watch.look().steps == {6: 512}
    ledger.close()


def test_a_missing_and_a_damaged_ledger_are_told_in_a_sentence(tmp_path):
    with pytest.raises(UserError, match="not begun"):
        Watch(tmp_path).look()
    write_atomically(tmp_path / "ledger.sqlite", b"not a ledger at all" * 100)
    with pytest.raises(UserError, match="damaged"):
        Watch(tmp_path).look()


def test_the_tree_ties_every_lifetime_to_its_parent_and_makes_the_best_line_stand_out(run):
    rows = read_rows(run / "ledger.sqlite")
    drawn = ElementTree.fromstring(tree(rows, best=3, shown=2, lifetimes=8))
    nodes = {int(c.get("data-lifetime")): c for c in drawn.iter("circle") if c.get("data-lifetime")}
    assert sorted(nodes) == [0, 1, 2, 3, 4, 5]
    at = {n: (c.get("cx"), c.get("cy")) for n, c in nodes.items()}
    quiet, line = [path.get("d") for path in drawn.iter("path")]
    ends = {e.groups() for e in re.finditer(r"M([\d.]+),([\d.]+)C[\d., ]+ ([\d.]+),([\d.]+)", quiet + line)}
    assert ends == {(*at[parent], *at[child]) for parent, child in ((1, 2), (1, 3), (3, 4), (3, 5))}
    assert line.count("M") == 1
    assert nodes[1].get("fill") == nodes[3].get("fill") != nodes[2].get("fill")
    up = sorted((1, 2, 3), key=lambda n: -float(at[n][1]))
    assert up == [2, 1, 3]  # by fitness, which grows upwards while y grows downwards
    assert "killed" not in tree(rows, 3, 2, 8)
    assert "failed" in "".join(nodes[4].itertext())
    rings = [c for c in drawn.iter("circle") if not c.get("data-lifetime")]
    assert [(ring.get("cx"), ring.get("cy")) for ring in rings] == [at[2]]


def test_of_thousands_of_lifetimes_hundreds_are_drawn_the_best_line_and_those_in_flight_among_them():
    rows = many(4000)
    best = max(rows[:3996], key=lambda row: (row["fitness"], row["id"]))["id"]
    drawn = ElementTree.fromstring(tree(rows, best, shown=1234, lifetimes=4000, most=300))
    numbers = {int(c.get("data-lifetime")) for c in drawn.iter("circle") if c.get("data-lifetime")}
    assert 250 <= len(numbers) <= 300
    assert max(np.diff(sorted(numbers))) < 60  # no stretch of births is left out
    assert numbers >= {*lineage(rows, best), *lineage(rows, 1234), 3996, 3997, 3998, 3999}
    edges = sum(path.get("d").count("M") for path in drawn.iter("path"))
    assert edges == sum(bool(numbers & set(lineage(rows, n)[1:])) for n in numbers)  # nobody loses all ancestors


def test_the_chart_draws_both_lines_and_goes_on_where_little_is_known(run):
    finished = Watch(run).look().finished
    drawn = ElementTree.fromstring(chart(course_of(finished, 2), 6))
    assert len(list(drawn.iter("circle"))) == 4
    assert [path.get("d").count("L") for path in drawn.iter("path")] == [3, 3]
    assert chart(course_of([], 2), 6) == ""
    ElementTree.fromstring(chart(course_of(finished[:1], 2), 1))
    equal = [{**row, "fitness": 0.0} for row in finished]
    ElementTree.fromstring(chart(course_of(equal, 2), 6))


def test_lines_are_thinned_evenly_with_both_ends():
    assert thinned(5, 10) == [0, 1, 2, 3, 4]
    kept = thinned(4000, 400)
    assert (kept[0], kept[-1], len(set(kept))) == (0, 3999, 400)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 7), (0, 1234.5), (-1e-3, 2e-3), (99, 100)])
def test_ticks_are_round_few_and_inside(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 7
    assert all(low <= value <= high for value in found)
    assert len({round(b - a, 12) for a, b in pairwise(found)}) == 1


def test_what_is_said_is_what_the_ledger_holds_with_markup_made_harmless(run):
    sweep = Watch(run).look()
    told = words.lifetime(sweep.rows, sweep.rows[3], find_body("tripod"))
    for part in ("limb params of 1", "4, 5", "50", "0.10 m/s", f"{find_body('tripod').description.mass:.1f} kg"):
        assert part in told
    failed = words.lifetime(sweep.rows, sweep.rows[4], None)
    assert "killed &lt;often&gt;" in failed
    assert "4,096 of 8,192 steps" in words.in_flight(sweep, 8192)
    assert "lifetime 3" in words.figures(figures_of(sweep, 2), 8, alive=True)
    assert "--resume" in words.figures(figures_of(sweep, 2), 8, alive=False)
