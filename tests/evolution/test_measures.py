import numpy as np
import pytest
import torch

from embodied.envs import make
from embodied.evolution import lifetimes
from embodied.evolution.lifetimes import Exploded, live
from embodied.evolution.measures import _Way, evaluate_with_measures, passive_stability
from embodied.learning.evaluate import random_actor, zero_actor
from morphologies import find_body, to_json
from tests.evolution.short import SMALL


def test_speed_and_energy_are_those_of_a_loop_over_plain_mujoco_data():
    """The trapezoid-free sums of what a plain reading of qfrc_actuator, qvel and qpos gives after each step."""
    env, twin = make("flat", "ant", 3, threads=1), make("flat", "ant", 3, threads=1)
    measures = evaluate_with_measures(env, random_actor(env.action_space, 1), 5).measures
    actor = random_actor(twin.action_space, 1)
    observation, _ = twin.reset(5)
    alive, start = np.ones(3, bool), [None] * 3
    energy, distance, length = np.zeros(3), np.zeros(3), np.zeros(3)
    while alive.any():
        observation, _, terminated, truncated, _ = twin.step(actor(observation))
        length += alive
        alive &= ~(terminated | truncated).numpy()
        for world in np.flatnonzero(alive):
            data = twin.world._batch.get_data(int(world))
            energy[world] += np.abs(data.qfrc_actuator[6:] * data.qvel[6:]).sum() * 0.02
            if start[world] is None:
                start[world] = data.qpos[0]
            distance[world] = data.qpos[0] - start[world]
    assert measures["energy"] == pytest.approx(energy.mean(), rel=1e-9)
    assert measures["distance"] == pytest.approx(distance.mean(), rel=1e-9, abs=1e-12)
    assert measures["speed"] == pytest.approx(distance.mean() / (0.02 * length.mean()), rel=1e-9, abs=1e-12)
    mass = twin.env.scene.model.body_mass.sum()
    expected = energy.mean() / (distance.mean() * mass) if distance.mean() >= 0.5 else None
    assert measures["cost_of_transport"] == pytest.approx(expected)
    env.close()
    twin.close()


def test_a_body_that_does_nothing_spends_nothing_and_has_no_cost_of_transport():
    env = make("flat", "crab", 2, threads=1)
    measures = evaluate_with_measures(env, zero_actor(env.action_space), 0).measures
    assert measures["energy"] == 0.0
    assert measures["cost_of_transport"] is None
    env.close()


def test_a_crab_stands_without_motors_a_biped_does_not_and_a_tripod_does_until_it_is_pushed():
    crab, biped, tripod = (passive_stability("flat", find_body(body), 0) for body in ("crab", "biped", "tripod"))
    assert crab == {"stands": 1.0, "stands_pushed": 1.0}
    assert biped == {"stands": 0.0, "stands_pushed": 0.0}
    assert tripod["stands"] > tripod["stands_pushed"]


def test_on_variable_ground_distance_energy_and_standing_mean_what_they_mean_on_flat():
    """The first metres of the corridor are level, and its walls are not touched: a body without motors stands alike."""
    found = {task: passive_stability(task, find_body("crab"), 0) for task in ("flat", "variable")}
    assert found["variable"] == found["flat"] == {"stands": 1.0, "stands_pushed": 1.0}
    env = make("variable", "ant", 3, threads=1)
    measures = evaluate_with_measures(env, random_actor(env.action_space, 1), 5).measures
    # The metric is where the head ended; the meter starts after the first step and leaves out the last.
    assert measures["distance"] == pytest.approx(measures["metric/distance"], abs=0.1)
    assert measures["energy"] > 0
    env.close()


def test_a_way_that_turns_is_measured_along_its_pieces_and_swaying_is_none():
    """Four worlds: straight on, there and back, standing, and swaying faster than a piece lasts."""
    times = torch.arange(0, 401) * 0.02
    there_and_back = torch.where(times < 4, times, 8 - times)
    x = torch.stack([0.5 * times, there_and_back, torch.full_like(times, 7.0), torch.sin(2 * torch.pi * times)])
    pos = torch.zeros(4, 3)
    pos[:, 0] = x[:, 0]
    way = _Way(pos, 0.02)
    total = torch.zeros(4)
    for moment in x.T:
        pos[:, 0] = moment
        total += way.moved()
    torch.testing.assert_close(total, torch.tensor([4.0, 8.0, 0.0, 0.0]), atol=1e-3, rtol=0.0)


def test_cost_of_transport_is_per_mass_of_the_body_without_what_it_pushes():
    env = make("manipulation", "ant", 2, threads=1)
    mass = find_body("ant").description.mass
    assert env.env.scene.model.body_mass.sum() >= mass + 1.0, "there is a box of 1 kg too"
    advance = env.env.advance

    def carried(actions):
        env.world.field("qvel")[:, 1] = 1.0  # m/s aside, or no untrained body would go half a metre
        return advance(actions)

    env.env.advance = carried
    measures = evaluate_with_measures(env, random_actor(env.action_space, 1), 5).measures
    assert measures["distance"] > 0.5
    assert measures["cost_of_transport"] == pytest.approx(measures["energy"] / (measures["distance"] * mass))
    env.close()


def test_a_body_whose_physics_fail_has_exploded(monkeypatch, tmp_path):
    """A real environment with a real health check, in which every world is blown up soon after its start."""
    real = lifetimes.make

    def sabotaged(*arguments, **options):
        env = real(*arguments, **options)
        step = env.env.advance

        def advance(actions):
            env.world.field("qvel")[:, 3] = float("nan")
            return step(actions)

        env.env.advance = advance
        return env

    monkeypatch.setattr(lifetimes, "make", sabotaged)
    order = lifetimes.Order(
        *(0, to_json(find_body("ant").genome), 1, 2, "flat", 512, (), 8, 4, 1e9),
        ppo=SMALL.ppo,
        policy=SMALL.policy,
        folder=tmp_path / "0",
    )

    class Silent:
        def began(self, steps): ...
        def advanced(self, steps, reward): ...
        def saved(self, steps): ...
        def goes_on(self, rung, steps, value): ...

    with pytest.raises(Exploded, match="4 of 4 episodes"):
        live(order, Silent())
