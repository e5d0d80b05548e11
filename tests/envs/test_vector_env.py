"""Every VectorEnv there is keeps what the protocol promises; and the contract notices one that does not."""

from functools import partial

import pytest
import torch

from embodied.bench.replay import Recorder
from embodied.envs import ForeignEnv
from embodied.testing import check_vector_env
from embodied.vector_env import WaitlessEnv
from tests.envs.short import short
from tests.learning.stacked.drift import Drift, ListedDrift
from tests.learning.test_trainer import Pointing


def on_device(**given):
    pytest.importorskip("mujoco_warp", reason="needs the extra gpu")
    from tests.envs.on_device import autoreset

    return autoreset(**given)


def bucket():
    pytest.importorskip("mujoco_warp", reason="needs the extra gpu")
    from embodied.envs.device_vector import DeviceVectorEnv
    from tests.envs.test_bucket_env import bucket_env

    return DeviceVectorEnv(bucket_env(steps=7))


ENVIRONMENTS = {
    "on CPU threads": partial(short, steps=7),
    "on a device": partial(on_device, steps=7),
    "of several bodies": bucket,
    "from Gymnasium": lambda: ForeignEnv("gymnasium:Pendulum-v1", 2),
    "recorded": lambda: Recorder(short(steps=7)),
    "of tests": lambda: Drift(5),
    "of tests, listed": lambda: ListedDrift(5),
    "of tests, of one step": Pointing,
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_is_what_the_protocol_says(name):
    check_vector_env(ENVIRONMENTS[name], steps=20 if name != "from Gymnasium" else 210)


def test_those_on_a_device_give_what_spares_waiting_for_it():
    assert isinstance(Drift(2), WaitlessEnv)
    assert not isinstance(ListedDrift(2), WaitlessEnv)
    on_threads, on_it = short(steps=7), on_device(steps=7)
    assert not isinstance(on_threads, WaitlessEnv)
    assert isinstance(on_it, WaitlessEnv)
    on_threads.close()
    on_it.close()


class Aged(ListedDrift):
    """Tells an age as a length."""

    def ended(self, figures):
        found = super().ended(figures)
        aged = torch.where(self.episode_length > 0, self.episode_length, self.episode_steps)
        found["episode"]["length"] = aged[found["episode"]["world"]]
        return found


class Loose(ListedDrift):
    """Forgets its limit."""

    def step(self, actions):
        self.episode_length.clamp_(max=3)
        return super().step(actions)


class Nameless(ListedDrift):
    """Leaves out metrics."""

    def ended(self, figures):
        found = super().ended(figures)
        del found["episode"]["metrics"]
        return found


class Silent(Drift):
    """Says where episodes ended in the form of the CPU alone."""

    def ended(self, figures):
        return ListedDrift.ended(self, figures)


class Unseeded(ListedDrift):
    """Goes its own way."""

    def reset(self, seed=None):
        return super().reset()


class Forgetful(ListedDrift):
    """Goes on with the velocity it had."""

    def load_state_dict(self, state):
        return super().load_state_dict({**state, "velocity": self.points["velocity"]})


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Aged, "length"),
        (Loose, "episode_length"),
        (Nameless, "metrics"),
        (Silent, "finished"),
        (Unseeded, "one seed"),
        (Forgetful, "stored state"),
    ],
)
def test_one_that_breaks_its_promises_is_found_out(kind, says):
    seeds = iter(range(2))
    with pytest.raises((AssertionError, KeyError), match=says):
        check_vector_env(lambda: kind(5, seed=next(seeds)), steps=20)


def test_an_environment_from_elsewhere_is_truncated_by_an_age_that_was_written():
    env = ForeignEnv("gymnasium:Pendulum-v1", 2)
    env.reset(0)
    env.episode_length.copy_(torch.tensor([0, 197]))
    ended = {}
    for step in range(1, 2 * 200 + 1):
        *_, truncated, info = env.step(torch.zeros(2, 1))
        for world, length in zip(info["episode"]["world"].tolist(), info["episode"]["length"].tolist(), strict=True):
            ended.setdefault(world, []).append((step, length))
        assert truncated.nonzero().flatten().tolist() == info["episode"]["world"].tolist()
    assert ended == {0: [(200, 200), (400, 200)], 1: [(3, 3), (203, 200)]}
    env.close()
