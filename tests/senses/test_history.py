"""History: the last readings of senses, by a sense that counts."""

from __future__ import annotations

import torch

from embodied.scenes.arrays import HostArrays
from embodied.senses.history import History
from embodied.senses.sense import ObservationSpec, Term


class Counting:
    """Reads one more each time it is told to."""

    def __init__(self) -> None:
        self.terms = (Term("count", 2, "1", 100.0),)
        self.value = torch.zeros(3, 2, dtype=torch.float64)

    def read(self) -> torch.Tensor:
        return self.value.clone()


def test_the_last_readings_are_kept_oldest_first_and_shown_term_by_term():
    one, other = Counting(), Counting()
    history = History((one, other), 3, HostArrays(), 3)
    for step in range(1, 6):
        one.value[:] = step
        other.value[:] = torch.tensor([10.0 * step, -step])
        history.shift()
    spec = ObservationSpec({"group": history.senses}, torch.device("cpu"))
    expected = [3, 3, 4, 4, 5, 5, 30, -3, 40, -4, 50, -5]
    assert spec.read()["group"][1].tolist() == expected
    assert [(term.size, term.shape, term.history) for term in spec.groups["group"]] == [(6, (3, 2), 3)] * 2
    assert spec.groups["group"][0].name == "count"


def test_where_an_episode_begins_nothing_has_moved_and_elsewhere_the_past_stays():
    sense = Counting()
    history = History((sense,), 2, HostArrays(), 3)
    for step in (1, 2):
        sense.value[:] = step
        history.shift()
    sense.value[:] = 7
    history.fill(torch.tensor([False, True, False]))
    assert history.memory[:, :, 0].tolist() == [[1, 2], [7, 7], [1, 2]]
