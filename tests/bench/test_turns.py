from itertools import count

import pytest

from embodied.bench.turns import compared, in_turn, rows_of


def test_everyone_runs_once_a_round_and_begins_it_in_turn():
    order = []
    ticks = count()

    def runner(name):
        return lambda: order.append(name) or next(ticks)

    rates = in_turn({name: runner(name) for name in "abc"}, 3)
    assert order == list("abcbcacab")
    assert rates == {"a": [0, 5, 7], "b": [1, 3, 8], "c": [2, 4, 6]}


def test_ratios_are_medians_over_rounds_and_not_ratios_of_medians():
    rates = {"ours": [10.0, 40.0, 90.0], "theirs": [10.0, 20.0, 30.0]}
    figures = compared(rates, "ours")
    assert figures["steps_per_second"] == {"ours": 40.0, "theirs": 20.0}
    assert figures["ours_times_as_fast"] == {"theirs": 2.0}
    rates["theirs"] = [1.0, 20.0, 45.0]
    assert compared(rates, "ours")["ours_times_as_fast"]["theirs"] == pytest.approx(2.0)
    assert rows_of(figures, "ours") == [("ours", "40", ""), ("theirs", "20", "2.00")]
