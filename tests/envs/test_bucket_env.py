"""BucketEnv on Warp's CPU device: three bodies play one task, each as if it were alone."""

from contextlib import nullcontext

import mujoco
import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

from embodied.envs import Env
from embodied.envs.bucket_env import BucketEnv
from embodied.envs.device_vector import DeviceVectorEnv
from embodied.runs.errors import UserError
from embodied.scenes.bucket import NotOneModel
from embodied.tasks import find_task
from embodied.testing.device_rules import DeviceRules
from morphologies import find_body
from tests.envs.short import ShortFlat
from tests.morphologies.kin import kin_bodies

EACH = 2


class RoundShortFlat(ShortFlat):
    """Friction cones are elliptic: of pyramids, the engines choose other tangents."""

    def scene(self, bodies):
        scene = super().scene(bodies)
        scene.model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        return scene


def bucket_env(steps=1000, seed=0, task=RoundShortFlat):
    return BucketEnv(task(steps), kin_bodies(), EACH, "warp-cpu", seed)


@pytest.fixture(scope="module")
def env():
    made = bucket_env()
    yield made
    made.close()


def actions_for(env, steps):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(steps, env.num_worlds, *env.action_space.shape, generator=generator) * 2 - 1


def test_rewards_and_ends_are_those_of_each_body_alone_on_the_cpu(env):
    alone = [Env(RoundShortFlat(1000), {"robot": body}, EACH, seed=4) for body in kin_bodies()]
    ended = 0
    for actions in actions_for(env, 40):
        env.world.set_state(torch.cat([each.world.state() for each in alone]).float())
        memory = torch.cat([each.task.memory["previous_x"] for each in alone])
        env.task.memory["previous_x"].copy_(memory)
        now = env.advance(actions)
        expected = [each.advance(part) for each, part in zip(alone, actions.split(EACH), strict=True)]
        terms = torch.cat([each.terms for each in expected], dim=1).float()
        torch.testing.assert_close(now.terms, terms, rtol=1e-4, atol=1e-4)
        assert torch.equal(now.terminated, torch.cat([each.terminated for each in expected]))
        ended += int(now.terminated.sum())
    for each in alone:
        each.close()
    assert ended > 0


def test_each_body_falls_at_its_own_height(env):
    heights = torch.tensor([0.5 * body.standing_height for body in kin_bodies()]).float()
    assert len(set(heights.tolist())) > 1
    assert torch.allclose(env.task.lowest[:, 2], heights.repeat_interleave(EACH))


def heights_at_start(vector_env):
    return vector_env.world.field("qpos")[:, 2].clone()


def test_every_episode_begins_as_its_own_body_and_no_step_reads_anything():
    vector_env = DeviceVectorEnv(bucket_env(steps=3))
    vector_env.reset(5)
    spawn = torch.tensor([body.spawn_height for body in kin_bodies()]).float().repeat_interleave(EACH)
    for number, actions in enumerate(actions_for(vector_env.env, 40), start=1):
        with DeviceRules("cpu") if number > 20 else nullcontext():  # views are made in the first steps
            _, _, terminated, truncated, _ = vector_env.step(actions)
        ended = terminated | truncated
        assert bool(ended.all()) or number % 3
        assert torch.allclose(heights_at_start(vector_env)[ended], spawn[ended], atol=6e-3)
    assert int(vector_env.counters["starts_reused"]) > 0  # two starts each, drawn every 16 steps
    vector_env.close()


def test_it_goes_on_bit_for_bit_from_what_it_stored():
    one, two = DeviceVectorEnv(bucket_env(steps=7)), DeviceVectorEnv(bucket_env(steps=7, seed=9))
    steps = actions_for(one.env, 24)
    for actions in steps[:11]:
        one.step(actions)
    two.load_state_dict({name: value.clone() for name, value in one.state_dict().items()})
    for actions in steps[11:]:
        first, second = one.step(actions), two.step(actions)
        assert all(torch.equal(first[0][name], second[0][name]) for name in first[0])
        assert torch.equal(first[1], second[1])
    one.close()
    two.close()


def test_tasks_that_several_bodies_cannot_play_are_refused_with_the_reason():
    for name, reason in (
        ("velocity", "does not say what it takes from its body"),
        ("incline", "asks for 'spawn_height' of its body, in which the bodies that play it differ"),
        ("obstacle", "varies what its bodies differ in: geom_"),
    ):
        with pytest.raises(UserError, match=reason):
            BucketEnv(find_task(name), kin_bodies(), 1, "warp-cpu")


class Grudge(ShortFlat):
    """Remembers more of its body than it says."""

    def scene(self, bodies):
        self.reach = bodies["robot"].description.reach
        return super().scene(bodies)


def test_a_task_that_keeps_something_of_its_body_unsaid_is_refused():
    with pytest.raises(UserError, match="keeps 'reach' of its body and does not name it in body_constants"):
        BucketEnv(Grudge(10), kin_bodies(), 1, "warp-cpu")


def test_bodies_of_several_topologies_are_refused():
    with pytest.raises(NotOneModel, match="cannot share a model"):
        BucketEnv(ShortFlat(10), [kin_bodies()[0], find_body("ant")], 1, "warp-cpu")
