"""The page: whole, self-contained, and there for every kind of evolution, with graphics or without."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest

from embodied.cli.main import main
from embodied.graphics import HINT
from embodied.report import style
from embodied.report.bodies import Portraits
from embodied.report.history import read_history
from embodied.report.page import write_report
from embodied.runs.errors import UserError
from tests.report.synthetic import write_large, write_run
from tests.report.test_science import FAMILY

VOID = {"meta", "img", "br", "input", "link"}


class Tree(HTMLParser):
    """Raises AssertionError where tags do not match; notes addresses and identifiers."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.ids = [], [], set()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.addresses += [given[name] for name in ("src", "href", "poster") if given.get(name)]
        self.ids |= {given["id"]} if "id" in given else set()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(page):
    """The page's text, once it holds together and needs nothing from elsewhere."""
    text = page.read_text()
    tree = Tree()
    tree.feed(text)
    assert tree.open == []
    for address in tree.addresses:
        assert address.startswith(("data:", "#")), address[:80]
        assert not address.startswith("#") or address[1:] in tree.ids
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
    assert "url(" not in text
    return text


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(style, "DOTS", 30)


def rows_of(text):
    return json.loads(re.search(r'id="lifetimes-data">(.*?)</script>', text, re.DOTALL).group(1))["rows"]


def test_a_family_with_failures_and_halving_gets_a_page_of_its_own(tmp_path):
    run = write_run(tmp_path / "run", FAMILY, budget="halving")
    beside = write_run(tmp_path / "random", [{"fitness": 2.0}] * 6, search="random")
    written = write_report(run, beside)
    text = checked(written.page)
    for word in ("Family tree", "failed: error", "cut short", "random search", "ValueError: it broke", "gear"):
        assert word in text
    assert len(rows_of(text)) == 8  # all but the one that is running
    assert {path.name for path in written.pictures} >= {"fitness-by-steps.png", "map-beside.png", "operators.png"}
    for path in written.pictures:
        assert matplotlib.image.imread(path).std() > 0.01, f"{path.name} is empty"


@pytest.mark.parametrize(
    "lives",
    [
        pytest.param([{"curve": []}], id="one lifetime without a curve"),
        pytest.param([{"measures": {"cost_of_transport": None}}, {"status": "running"}], id="no cost of transport"),
        pytest.param([{"fitness": -3.0, "description": {}}, {"fitness": -3.0}], id="equal, negative, undescribed"),
    ],
)
def test_short_and_strange_evolutions_get_a_page(tmp_path, lives):
    text = checked(write_report(write_run(tmp_path / "run", lives)).page)
    assert "nobody has a parent" in text


def test_what_a_run_holds_cannot_break_the_page(tmp_path):
    evil = "</script><script>alert(1)</script><b>"
    run = write_run(tmp_path / "run", [{}, {"parent": 0, "operator": evil}], search=evil)
    text = checked(write_report(run).page)
    assert "<script>alert" not in text
    assert rows_of(text)[1][4] == evil


def test_before_the_first_lifetime_is_finished_there_is_a_sentence_and_no_page(tmp_path, capsys):
    run = write_run(tmp_path / "run", [{"status": "running"}, {"status": "failed"}])
    with pytest.raises(UserError, match=r"no lifetime of .* is finished"):
        write_report(run)
    main(["report", str(run)])
    assert "No lifetime is finished yet" in capsys.readouterr().out
    assert not (run / "report").exists()


def test_figures_alone_draw_nothing(tmp_path):
    run = write_run(tmp_path / "run", FAMILY)
    main(["report", str(run), "--beside", str(run), "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["lifetimes_finished"] == 7
    assert figures["clusters_in_use"] == 3
    assert figures["beside"]["difference"]["best"] == 0
    assert not (run / "report").exists()


def test_a_large_evolution_stays_a_small_page_with_all_its_lifetimes(tmp_path):
    run = write_large(tmp_path / "run", lifetimes=700, population=60, points=8)
    text = checked(write_report(run).page)
    assert len(rows_of(text)) == 700
    assert len(text) < 15e6
    assert text.count("<tr>") < 100  # the rest are data until they are paged to
    assert "one in 2 of 693" in text


def report(run, **environment):
    return subprocess.run(
        [sys.executable, "-m", "embodied", "report", str(run)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_without_graphics_the_page_is_made_and_names_the_packages(tmp_path):
    run = write_run(tmp_path / "run", FAMILY)
    done = report(run, MUJOCO_GL="disable")
    assert done.returncode == 0, done.stderr
    assert "libegl1" in done.stdout
    assert "libegl1" in checked(run / "report" / "index.html")
    assert str(run / "report" / "index.html") in done.stdout


def test_bodies_are_drawn_once_and_stand_on_their_shadow(tmp_path):
    run = write_run(tmp_path / "run", FAMILY)
    done = report(run)
    assert done.returncode == 0, done.stderr
    if HINT in done.stdout:
        pytest.skip("no off-screen OpenGL on this machine")
    text = checked(run / "report" / "index.html")
    assert 'alt="Body of lifetime 6"' in text
    path = run / "report" / "bodies" / "print-6.png"
    picture = matplotlib.image.imread(path)
    solid, ground = picture[..., 3] > 0.9, (picture[..., 3] > 0.05) & (picture[..., 3] < 0.6)
    assert 0.05 < solid.mean() < 0.6
    assert ground.any()
    assert np.flatnonzero(ground.any(axis=1)).max() >= np.flatnonzero(solid.any(axis=1)).max()
    assert (picture[:3, :, 3] < 0.05).all(), "there is room above the body"
    assert (again := Portraits(path.parent)(read_history(run).best)) is not None, "drawn once, it needs no graphics"
    assert np.abs(again / 255 - picture).max() < 0.01
