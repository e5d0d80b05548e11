"""The page on the physics' speed names what its benches print."""

from pathlib import Path

import mujoco
import numpy as np

from embodied.bench.physics_changes import CHANGES
from embodied.bench.physics_profile import COUNTED, _parts

PAGE = (Path(__file__).parents[2] / "docs" / "physics-speed.md").read_text()


def first_column(heading):
    """Of the table under a heading's row."""
    table = PAGE.split(heading)[1].split("\n\n")[0]
    return [row.split("|")[1].strip() for row in table.splitlines()[2:]]


def test_every_change_with_a_speed_is_one_that_can_be_asked_for():
    listed = first_column("| change |")
    known = [change.name for change in CHANGES]
    assert set(listed) == set(known) - {"again", "as MuJoCo comes"}
    assert len(set(listed)) == len(listed)


def test_what_is_counted_is_what_is_printed():
    assert [name.lower() for name in first_column("| mean count of a step |")] == list(COUNTED)


def test_the_stages_are_those_of_the_profile():
    nothing = np.zeros(mujoco.mjtTimer.mjNTIMER)
    assert first_column("| µs of a physics step |") == [*_parts(nothing, nothing), "**all**"]
