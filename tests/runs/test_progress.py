import time

import pytest

from embodied.runs.progress import Progress, Work, duration


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "-"), (4.4, "4 s"), (200, "3 m 20 s"), (3660, "1 h 01 m"), (360_000, "100 h 00 m")]
)
def test_durations_are_said_as_people_say_them(seconds, said):
    assert duration(seconds) == said


def test_off_a_terminal_progress_is_plain_lines(capsys):
    with Progress("evolving") as progress:
        progress.begin(3, "lifetime 3", 1000)
        progress.advance(3, 500, 12.5)
        progress.end(3, "[1/2] lifetime 3 (initial): fitness 12.0; best 12.0 (lifetime 3)")
    said = capsys.readouterr().out
    assert "[1/2] lifetime 3" in said
    assert "\x1b" not in said


def test_time_left_follows_from_the_rate_so_far():
    work = Work("w", total=1000, done=250, began=0.0)
    assert work.left == pytest.approx(750 / work.rate)
    assert Work("w", total=1000).left is None


def test_nothing_is_left_of_work_that_went_beyond_what_was_asked_for():
    work = Work("training", total=100, done=104, began=time.monotonic() - 1.0)
    assert work.left == 0.0
