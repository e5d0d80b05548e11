"""Two evolutions side by side, against differences worked out by hand."""

import pytest

from embodied.report.compare import caveats, paired
from embodied.report.history import read_history
from embodied.runs.errors import UserError
from tests.report.synthetic import write_run


def test_paired_figures_are_differences_of_both_runs_own(tmp_path):
    start = [{"fitness": f} for f in (1.0, 3.0)]
    one = read_history(write_run(tmp_path / "one", [*start, *({"fitness": 2.0 + i} for i in range(18))], population=2))
    other = read_history(
        write_run(tmp_path / "other", [*start, *({"fitness": 2.5} for _ in range(18))], population=2, search="random")
    )
    found = paired(one, other)
    assert found["run"]["best"] == 19.0
    assert found["run"]["last_16_median"] == 11.5
    assert found["difference"] == {"best": 16.0, "last_16_best": 16.5, "last_16_median": 9.0}
    assert found["ratio"]["best"] == pytest.approx(19 / 3)
    assert found["same_initial_bodies"]
    assert found["run"]["steps_to_initial_best"] == 5 * 4096  # 2, 3 and then 4: the first above 3
    assert found["beside"]["steps_to_initial_best"] is None
    assert found["steps_to_beside_best"] == 5 * 4096
    assert caveats(one, other) == []


def test_runs_on_different_tasks_are_not_compared(tmp_path):
    one = read_history(write_run(tmp_path / "one", [{}]))
    other = read_history(write_run(tmp_path / "other", [{}], task="hills"))
    with pytest.raises(UserError, match=r"flat .* hills"):
        paired(one, other)


def test_a_run_in_which_nothing_has_finished_is_named(tmp_path):
    one = read_history(write_run(tmp_path / "one", [{}]))
    other = read_history(write_run(tmp_path / "other", [{"status": "running"}]))
    with pytest.raises(UserError, match="other is finished yet"):
        paired(one, other)


def test_what_else_differs_is_said(tmp_path):
    one = read_history(write_run(tmp_path / "one", [{}]))
    other = read_history(write_run(tmp_path / "other", [{}, {}], steps=8192))
    assert caveats(one, other) == [
        "They differ in environment steps a lifetime: 4,096 and 8,192.",
        "1 lifetimes stand beside 2.",
    ]
