"""Figures of recent episodes, against a list that is kept by hand."""

from collections import deque

import pytest
import torch

from embodied.learning.stacked.episodes import RecentEpisodes, finished_episodes

STEPS, WORLDS, MEMBERS, KEPT = 6, 8, 2, 5


def info_of(generator, chance):
    finished = torch.rand(WORLDS, generator=generator) < chance
    figures = torch.randn(3, WORLDS, generator=generator, dtype=torch.float64)
    unhealthy = finished & (torch.rand(WORLDS, generator=generator) < 0.3)
    return {
        "finished": finished,
        "unhealthy": unhealthy,
        "episode_return": figures[0],
        "episode_length": figures[1],
        "episode_terms": {"miss": figures[2]},
    }


@pytest.mark.parametrize("chance", [0.0, 0.05, 0.3, 1.0])
def test_the_last_episodes_are_those_of_a_list_kept_by_hand(chance):
    generator = torch.Generator().manual_seed(0)
    episodes = RecentEpisodes(STEPS, WORLDS, MEMBERS, KEPT, torch.device("cpu"))
    kept = [{name: deque(maxlen=KEPT) for name in ("return", "length", "miss")} for _ in range(MEMBERS)]
    ended, unhealthy = [0, 0], [0, 0]
    for _ in range(4):
        for step in range(STEPS):
            info = info_of(generator, chance)
            episodes.write(step, info)
            for world in info["finished"].nonzero().squeeze(-1).tolist():
                member = world // 4
                ended[member] += 1
                unhealthy[member] += int(info["unhealthy"][world])
                for name, values in (
                    ("return", info["episode_return"]),
                    ("length", info["episode_length"]),
                    ("miss", info["episode_terms"]["miss"]),
                ):
                    kept[member][name].append(float(values[world]))
        episodes.close_rollout()
        for member in range(MEMBERS):
            facts = episodes.member_facts(member)
            assert facts["episodes"] == ended[member]
            assert facts["unhealthy_episodes"] == unhealthy[member]
            wanted = {name: list(values) for name, values in kept[member].items()}
            assert facts["recent"] == (wanted if ended[member] else {})
            for column, name in enumerate(episodes.names if ended[member] else ()):
                mean = sum(wanted[name]) / len(wanted[name])
                assert float(episodes.means()[member, column]) == pytest.approx(mean)


def test_facts_are_taken_up_again():
    generator = torch.Generator().manual_seed(3)
    episodes = RecentEpisodes(STEPS, WORLDS, MEMBERS, KEPT, torch.device("cpu"))
    for step in range(STEPS):
        episodes.write(step, info_of(generator, 0.1))
    episodes.close_rollout()
    other = RecentEpisodes(STEPS, WORLDS, MEMBERS, KEPT, torch.device("cpu"))
    for member in range(MEMBERS):
        other.load_member(member, episodes.member_facts(member))
    assert torch.equal(other.recent, episodes.recent)
    for name in ("known", "ended", "unhealthy"):
        assert torch.equal(getattr(other, name), getattr(episodes, name))


def test_lists_of_ended_episodes_are_spread_over_the_worlds():
    worlds = torch.tensor([1, 4])
    figures = {"return": torch.tensor([3.0, 5.0]), "length": torch.tensor([7, 9]), "terms": {"a": torch.ones(2)}}
    finished, spread = finished_episodes({"episode": {"world": worlds, **figures}}, 6)
    assert finished.tolist() == [False, True, False, False, True, False]
    assert spread["return"].tolist() == [0, 3, 0, 0, 5, 0]
    assert spread["length"].tolist() == [0, 7, 0, 0, 9, 0]
    assert list(spread) == ["return", "length", "a"]
