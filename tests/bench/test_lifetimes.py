import pytest

from embodied.bench.lifetimes import BARE, TRAINING, Lifetimes, bench_lifetimes, live_in_phases
from embodied.bench.together import side_by_side
from embodied.learning.ppo import PPOConfig
from embodied.runs.errors import UserError
from tests.bench.silence import Silent

TINY = Lifetimes(worlds=4, rounds=2, rollouts=2, ppo=PPOConfig(rollout_steps=8, minibatch=16))


class Alone:
    def __init__(self):
        self.waits = 0

    def wait(self):
        self.waits += 1


def fail_in_the_second(config, number, meeting):
    if number:
        raise ValueError(config)
    meeting.wait()


def test_two_lifetimes_are_measured_against_two_bare_engines():
    figures = bench_lifetimes(TINY, Silent())
    assert figures["environment_steps"] == 2 * 2 * 2 * 4 * 8
    assert len(figures["each_ratio_to_bare"]) == 2
    rates = figures["steps_per_second"]
    assert figures["ratio_to_bare"] == pytest.approx(rates[TRAINING] / rates[BARE])


def test_every_phase_is_entered_together():
    meeting = Alone()
    seconds = live_in_phases(TINY, 0, meeting)
    assert meeting.waits == 2 * TINY.rounds
    assert len(seconds[TRAINING]) == len(seconds[BARE]) == TINY.rounds


def test_a_process_that_fails_ends_the_bench_with_its_words():
    with pytest.raises(UserError, match="too many legs"):
        side_by_side(fail_in_the_second, "too many legs", 2)
