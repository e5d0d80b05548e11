"""The examples of docs/doors.md run as they stand there."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "doors.md"
SECTIONS = [section.partition("\n") for section in PAGE.read_text().split("\n## ")[1:]]
EXAMPLES = [
    (title, code) for title, _, text in SECTIONS for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
]


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_the_page_s_examples_run(title, code):
    exec(compile(code, f"{PAGE.name}: {title}", "exec"), {})


def test_every_door_has_one():
    assert len(EXAMPLES) == 6
