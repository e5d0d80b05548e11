"""`embodied view` as a person meets it: a real run, a real server, a real browser."""

import dataclasses
import io
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from matplotlib.image import imread

from embodied.evolution.evolve import Evolution, evolve
from embodied.evolution.ledger import Ledger
from embodied.runs.configuration import to_plain
from embodied.runs.folder import RunFolder
from embodied.runs.progress import Progress
from tests.evolution.short import SMALL
from tests.report.test_view_drawings import birth

CONFIG = dataclasses.replace(SMALL, lifetimes=3)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Three lifetimes, really lived; module-wide, because living takes seconds."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    with RunFolder.open(folder, "evolve", to_plain(CONFIG), resume=False), Progress("test") as progress:
        evolution = Evolution(CONFIG, folder)
        evolve(evolution, progress)
        evolution.ledger.close()
    return folder


def command(*arguments):
    return [sys.executable, "-m", "embodied", "view", *map(str, arguments)]


@contextmanager
def serving(*arguments):
    """The page's address, while it is served; it must end cleanly when interrupted."""
    process = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    )
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + process.stdout.read()
        yield found[0]
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in rest
    finally:
        process.kill()
        process.communicate()


@contextmanager
def browsing(address):
    """A page in a headless browser that draws in software."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        pytest.skip("no browser is installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=list(SOFTWARE_WEBGL))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        strangers, errors = [], []
        page.on("request", lambda r: strangers.append(r.url) if re.match(r"https?://(?!localhost)", r.url) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        yield page
        assert not errors
        assert not strangers, "the page must not need a network"
        browser.close()


def picture(page):
    """(height, width, 3) What the canvas shows between the panels."""
    box = page.locator("canvas").first.bounding_box()
    left, right = box["x"] + 0.36 * box["width"], box["x"] + 0.72 * box["width"]
    clip = {"x": left, "y": box["y"] + 200, "width": right - left, "height": box["height"] - 250}
    return (imread(io.BytesIO(page.screenshot(clip=clip)))[:, :, :3] * 255).astype(int)


def until(page, condition, tries=120):
    """Waits for something that the page cannot be asked for in its own words."""
    for _ in range(tries):
        if (found := condition()) is not None:
            return found
        page.wait_for_timeout(250)
    raise AssertionError("it never happened")


def body_colours(image):
    """How many pixels have colours that only a body has: floor and lines are grey."""
    return int((image.max(axis=2) - image.min(axis=2) > 30).sum())


def moved(page, before):
    def look():
        now = picture(page)
        return now if body_colours(now) > 500 and np.abs(now - before).max() > 60 else None

    return until(page, look)


def test_a_run_is_watched_in_a_browser_and_another_body_chosen(run):
    ledger = Ledger(run / "ledger.sqlite", readonly=True)
    rows = ledger.lifetimes()
    ledger.close()
    best = max(rows, key=lambda row: row["fitness"])
    other = next(row for row in rows if row["fingerprint"] != best["fingerprint"])
    with serving(run, "--port", 0) as address, browsing(address) as page:
        page.get_by_text("finished of 3").wait_for()
        page.get_by_text(f"best, lifetime {best['id']}").wait_for()
        page.get_by_text("nobody").wait_for()
        assert page.locator("circle[data-lifetime]").count() == 3

        page.get_by_text(f"Lifetime {best['id']}", exact=True).wait_for()
        first = until(page, lambda: image if body_colours(image := picture(page)) > 500 else None)
        moved(page, first)

        number = page.get_by_label("Lifetime", exact=True)
        assert number.input_value() == str(best["id"])
        number.fill(str(other["id"]))
        page.get_by_text(f"Lifetime {other['id']}", exact=True).wait_for()
        limbs = re.search(r'"limbs": (\d+).*"motors": (\d+)', other["description"])
        page.get_by_text(f"{limbs[1]} with {limbs[2]} motors").wait_for()
        moved(page, first)
        assert not page.get_by_label("Follow the best").is_checked()

        page.get_by_role("button", name="best", exact=True).click()
        page.get_by_text(f"Lifetime {best['id']}", exact=True).wait_for()

        page.locator(f"circle[data-lifetime='{other['id']}']").click()
        page.get_by_text(f"Lifetime {other['id']}", exact=True).wait_for()

        writer = Ledger(run / "ledger.sqlite")  # the evolution goes on
        writer.begin(birth(3, best["id"], 1))
        writer.close()
        page.get_by_text(f"limb params of {best['id']}", exact=True).wait_for()
        page.get_by_text("just begun").wait_for()
        page.locator("circle[data-lifetime='3']").wait_for()


def test_one_lifetime_is_shown_without_the_sweep(run):
    with serving(run / "lifetimes" / "000001", "--port", 0) as address, browsing(address) as page:
        page.get_by_text("lifetime 000001", exact=True).wait_for()
        page.get_by_text(re.compile(r"m forward")).wait_for()
        assert page.get_by_text("Family tree").count() == 0


def refused(*arguments):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_cannot_be_watched_is_refused_in_a_sentence(run, tmp_path):
    assert "holds no run" in refused(tmp_path)
    assert "name the run" in refused()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = refused(run, "--port", port)
    assert f"port {port}" in told
    assert "--port" in told


def test_an_evolution_that_has_not_begun_or_is_damaged_is_refused(run, tmp_path):
    (tmp_path / "config.yaml").write_text((run / "config.yaml").read_text())
    assert "not begun" in refused(tmp_path)
    (tmp_path / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    assert "damaged" in refused(tmp_path)


def test_without_viser_the_way_to_install_it_is_told(run):
    without = "import sys; sys.modules['viser'] = None; from embodied.cli.main import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", without, "view", str(run)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "pip install 'embodied[view]'" in done.stderr
    assert "Traceback" not in done.stderr
