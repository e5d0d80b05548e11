"""What the pages name is there: commands, their flags, presets, benches, and the files that are linked."""

import re
import shlex
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from embodied.cli.bench import BENCHES
from embodied.cli.main import COMMANDS, main
from embodied.cli.motion import ACTIONS
from embodied.cli.pretrain import WAYS
from embodied.runs.configuration import preset_names

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page):
    """Command lines of ours in a page's blocks and between its backticks, as words."""
    text = page.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`(embodied [^`]+)`", text.replace("\n", " "))
    for line in lines:
        words = shlex.split(line, comments=True)
        if words and words[0].rpartition("/")[2] == "embodied" and words[1] in COMMANDS:
            yield words[1:]


PARTS = {"bench": BENCHES, "motion": ACTIONS, "pretrain": WAYS}
"""Of commands that have some."""


@cache
def flags(*command):
    """Those that a command's help names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        said = []
        patch.setattr("sys.stdout.write", said.append)
        with pytest.raises(SystemExit):
            main([*command, "--help"])
    return set(re.findall(r"--[a-z][a-z.-]*", "".join(said)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_has_the_flags_that_a_page_gives_it(page):
    for words in commands(page):
        command = words[:2] if words[1:] and words[1] in PARTS.get(words[0], ()) else words[:1]
        assert {word for word in words if word.startswith("--")} <= flags(*command), " ".join(words)
        for flag, value in pairwise(words):
            if flag == "--preset":
                assert value in preset_names("-".join(command) if words[0] == "pretrain" else words[0]), " ".join(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page):
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text(), flags=re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], link


def test_every_bench_is_on_its_page():
    page = (ROOT / "docs" / "bench.md").read_text()
    assert [name for name in BENCHES if f"`{name}`" not in page] == []


def test_every_page_is_in_the_readme_or_on_a_page_that_is():
    linked = {name for page in PAGES for name in re.findall(r"\]\((?:docs/)?([\w-]+\.md)", page.read_text())}
    assert [page.name for page in PAGES[2:] if page.name not in linked] == []
