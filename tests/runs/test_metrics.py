"""Metrics: lines that outlive any death of the process, and TensorBoard's own reader of the events."""

import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from embodied.runs.metrics import Metrics, read_metrics


def written(folder, steps, resume_at=0, tensorboard=False):
    metrics = Metrics(folder, resume_at, tensorboard)
    for step in steps:
        metrics.write(step, {"return": step / 2})
    metrics.close()


def steps(folder):
    return [entry["step"] for entry in read_metrics(folder)]


def test_every_entry_is_one_line_of_json(tmp_path):
    written(tmp_path, (10, 20, 30))
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"step": s, "return": s / 2} for s in (10, 20, 30)]


def test_an_entry_is_on_disk_before_the_next_one(tmp_path):
    metrics = Metrics(tmp_path, tensorboard=False)
    metrics.write(10, {"return": 1.0})
    assert steps(tmp_path) == [10]
    metrics.close()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_does_not_have_become_null(tmp_path, value):
    metrics = Metrics(tmp_path, tensorboard=False)
    metrics.write(10, {"loss": value, "return": 1.0})
    metrics.close()
    line = (tmp_path / "metrics.jsonl").read_text()
    strict = json.loads(line, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert strict == {"step": 10, "loss": None, "return": 1.0}


def test_a_resumed_run_takes_out_the_entries_that_it_will_make_again(tmp_path):
    written(tmp_path, (10, 20, 30, 40))
    written(tmp_path, (30, 40, 50), resume_at=20)
    assert steps(tmp_path) == [10, 20, 30, 40, 50]


def test_a_run_that_begins_anew_takes_out_everything(tmp_path):
    written(tmp_path, (10, 20))
    written(tmp_path, (10,))
    assert steps(tmp_path) == [10]


@pytest.mark.parametrize(
    "torn", ['{"step": 30, "ret', "{", '{"step": 30', "\n", '{"step": 30, "return": 1', "\x00\x00"]
)
@pytest.mark.parametrize("resume_at", [10, 20, 100])
def test_a_last_line_that_was_cut_short_is_left_out_and_written_over(tmp_path, torn, resume_at):
    written(tmp_path, (10, 20))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(torn)
    assert steps(tmp_path) == [10, 20]
    kept = [s for s in (10, 20) if s <= resume_at]
    written(tmp_path, (200,), resume_at=resume_at)
    assert steps(tmp_path) == [*kept, 200]
    for line in (tmp_path / "metrics.jsonl").read_text().splitlines():
        json.loads(line)


def test_without_a_file_there_are_no_entries(tmp_path):
    assert read_metrics(tmp_path) == []
    written(tmp_path, (30,), resume_at=20)
    assert steps(tmp_path) == [30]


def test_tensorboard_shows_the_same_curve_also_after_a_resume(tmp_path):
    written(tmp_path, (10, 20, 30, 40), tensorboard=True)
    written(tmp_path, (30, 50), resume_at=20, tensorboard=True)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("return")] == [(s, s / 2) for s in (10, 20, 30, 50)]
