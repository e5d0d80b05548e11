"""A bucket's lifetimes, real and very short, on Warp's CPU device."""

import json
from contextlib import nullcontext
from dataclasses import fields, replace

import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

from embodied.evolution.bucket_lifetimes import BucketOrder, MemberFailed, live_together
from embodied.evolution.ledger import Outcome
from embodied.evolution.lifetimes import Order
from embodied.learning.ppo import PPOConfig
from embodied.learning.stacked import StackedTrainer
from embodied.networks import PolicyConfig
from morphologies import to_json
from morphologies.topology import aligned
from tests.morphologies.kin import KIN

ROLLOUT, WORLDS, ROLLOUTS = 8, 2, 4
TIMES = {"wall_seconds", "cpu_seconds", "stints"}


class Killed(BaseException):
    """The process ends here."""


class Notes:
    """A line that notes what is said on it, and may end the process."""

    def __init__(self, kill_after=None):
        self.began_at, self.steps, self.saved_at, self._kill_after = None, [], [], kill_after

    def began(self, steps):
        self.began_at = steps

    def advanced(self, steps, reward):
        self.steps.append(steps)
        if len(self.steps) == self._kill_after:
            raise Killed

    def saved(self, steps):
        self.saved_at.append(steps)


def order_in(folder, **changes):
    members = tuple(
        Order(
            id=number,
            genome=to_json(aligned(genome)),
            seed=10 + number,
            evaluation_seed=3,
            task="flat",
            steps=ROLLOUT * WORLDS * ROLLOUTS,
            rungs=(),
            worlds=WORLDS,
            episodes=2,
            checkpoint_seconds=0.0,
            ppo=replace(PPOConfig(rollout_steps=ROLLOUT, minibatch=8, epochs=1), **changes),
            policy=PolicyConfig(hidden=(8,)),
            folder=folder / f"{number:06d}",
        )
        for number, genome in enumerate(KIN[:2])
    )
    return BucketOrder(0, members, "warp-cpu", 1, folder / "bucket")


def plain(outcome):
    return {field.name: getattr(outcome, field.name) for field in fields(Outcome) if field.name not in TIMES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    notes = Notes()
    return folder, live_together(order_in(folder), notes), notes


def test_each_member_has_a_whole_lifetime_of_its_own(whole):
    folder, ends, notes = whole
    steps = [ROLLOUT * WORLDS * (number + 1) for number in range(ROLLOUTS)]
    for number, outcome in enumerate(ends):
        assert isinstance(outcome, Outcome)
        assert outcome.environment_steps == outcome.budget == steps[-1]
        assert [point[0] for point in outcome.curve] == steps
        assert len(outcome.evaluation) == 2
        assert outcome.stints == 1
        assert outcome.versions["device"] == "warp-cpu"
        assert "mujoco-warp" in outcome.versions
        assert set(outcome.measures) >= {"distance", "speed", "energy", "stands", "stands_pushed"}
        own = folder / f"{number:06d}"
        assert json.loads((own / "genome.json").read_text()) == json.loads(to_json(aligned(KIN[number])))
        assert (own / "policy.safetensors").exists()
    assert ends[0].description["mass"] != ends[1].description["mass"]
    assert ends[0].fitness != ends[1].fitness
    # The driver is told of the steps of all members together, once a rollout and once for each evaluation.
    assert notes.steps == [2 * each for each in (*steps, steps[-1], steps[-1])]
    assert notes.saved_at == steps[:-1]
    policies = [load_file(folder / f"{number:06d}" / "policy.safetensors") for number in range(2)]
    assert not torch.equal(policies[0]["log_std"], policies[1]["log_std"])


@pytest.mark.parametrize("kill_after", [2, ROLLOUTS + 1])
def test_killed_while_learning_or_being_judged_it_goes_on_bit_for_bit(whole, tmp_path, kill_after):
    with pytest.raises(Killed):
        live_together(order_in(tmp_path), Notes(kill_after))
    notes = Notes()
    ends = live_together(order_in(tmp_path), notes)
    # The rollout that was under way, or the last one, which nothing is stored after, is made again.
    assert notes.began_at == 2 * ROLLOUT * WORLDS * min(kill_after - 1, ROLLOUTS - 1)
    assert [plain(end) for end in ends] == [plain(end) for end in whole[1]]
    assert [end.stints for end in ends] == [2, 2]
    for number in range(2):
        one, two = (load_file(path / f"{number:06d}" / "policy.safetensors") for path in (whole[0], tmp_path))
        assert all(torch.equal(one[name], two[name]) for name in one | two)


@pytest.mark.parametrize("kill_after", [None, ROLLOUTS])
def test_a_member_whose_losses_are_not_finite_fails_alone_and_once(whole, tmp_path, monkeypatch, kill_after):
    iterate = StackedTrainer.iterate

    def spoil(trainer):
        if trainer.iteration == 1:
            trainer.policies.flat[1] = float("nan")
        return iterate(trainer)

    monkeypatch.setattr(StackedTrainer, "iterate", spoil)
    with nullcontext() if kill_after is None else pytest.raises(Killed):
        one, other = live_together(order_in(tmp_path), Notes(kill_after))
    if kill_after is not None:
        one, other = live_together(order_in(tmp_path), Notes())
    assert isinstance(one, Outcome)
    assert isinstance(other, MemberFailed)
    assert "not finite" in other.error
    assert other.steps == 2 * ROLLOUT * WORLDS
    assert plain(one) == plain(whole[1][0])
