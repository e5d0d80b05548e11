"""The task must be Gymnasium's Ant-v5: both are stepped through the same episodes and compared number by number."""

import copy

import gymnasium
import mujoco
import numpy as np
import pytest
import torch
from gymnasium.envs.mujoco.ant_v5 import AntEnv

from embodied.bench.gymnasium_ant import RESET_NOISE, gymnasium_ant

TERMS = {
    "forward": "reward_forward",
    "survive": "reward_survive",
    "control_cost": "reward_ctrl",
    "contact_cost": "reward_contact",
}


class AntReadWhereOursIs(AntEnv):
    """Gymnasium's own environment, its forces read at the beginning of the last substep, its torso after it."""

    def _step_mujoco_simulation(self, ctrl, n_frames):
        self.data.ctrl[:] = ctrl
        mujoco.mj_step(self.model, self.data, nstep=n_frames - 1)
        beside = copy.copy(self.data)  # so that reading leaves the simulation as it is
        mujoco.mj_forward(self.model, beside)
        mujoco.mj_rnePostConstraint(self.model, beside)
        mujoco.mj_step(self.model, self.data)
        mujoco.mj_kinematics(self.model, self.data)
        self.data.cfrc_ext[:] = beside.cfrc_ext


def episodes(theirs, ours, count, steps, rng):
    """Yields what both make of every step of some episodes that begin in the same state with the same actions."""
    for seed in range(count):
        ours.reset(seed)
        theirs.reset(seed=seed)
        qpos, qvel = (ours.world.field(name)[0].numpy().copy() for name in ("qpos", "qvel"))
        theirs.set_state(qpos, qvel)
        for _ in range(steps):
            action = rng.uniform(-1.0, 1.0, 8).astype(np.float32)
            expected = theirs.step(action)
            _, reward, terminated, _, info = ours.step(torch.from_numpy(action)[None])
            yield expected, (info["final_obs"]["proprio"][0].numpy(), reward[0], bool(terminated[0]), info["terms"])
            if expected[2]:
                break


@pytest.mark.parametrize("contact_forces", [True, False])
def test_it_is_gymnasium_s_ant_step_for_step(contact_forces):
    chosen = {} if contact_forces else {"include_cfrc_ext_in_observation": False, "contact_cost_weight": 0.0}
    theirs, ours = AntReadWhereOursIs(**chosen), gymnasium_ant(1, 0, 1, contact_forces)
    ends, touched = 0, 0
    for (seen, reward, ended, _, facts), step in episodes(theirs, ours, 8, 150, np.random.default_rng(0)):
        observation, our_reward, our_end, terms = step
        assert observation.shape == seen.shape == (105 if contact_forces else 27,)
        np.testing.assert_allclose(observation, seen, rtol=1e-6, atol=1e-6)
        assert float(our_reward) == pytest.approx(reward, rel=1e-6, abs=1e-6)
        assert our_end == ended
        for name, term in terms.items():
            assert float(term[0]) == pytest.approx(facts[TERMS[name]], rel=1e-6, abs=1e-9)
        ends += ended
        touched += bool(np.any(seen[27:]))
    assert ends >= 2
    assert touched >= 100 * contact_forces
    theirs.close()
    ours.close()


def test_against_gymnasium_untouched_only_what_rk4_s_last_stage_shows_differs():
    theirs, ours = gymnasium.make("Ant-v5").unwrapped, gymnasium_ant(1, 0, 1)
    forward, contact = [], []
    for (seen, _, ended, _, facts), (observation, _, our_end, terms) in episodes(
        theirs, ours, 4, 100, np.random.default_rng(1)
    ):
        np.testing.assert_allclose(observation[:27], seen[:27], rtol=1e-6, atol=1e-6)
        assert our_end == ended
        assert float(terms["survive"][0]) == facts["reward_survive"]
        assert float(terms["control_cost"][0]) == pytest.approx(facts["reward_ctrl"], rel=1e-6)
        forward.append(float(terms["forward"][0]) - facts["reward_forward"])
        contact.append(float(terms["contact_cost"][0]) - facts["reward_contact"])
    assert np.abs(forward).mean() < 0.02  # m/s, of speeds of some tenths
    assert np.abs(contact).mean() < 1e-3
    theirs.close()
    ours.close()


def test_episodes_begin_as_gymnasium_s_do():
    theirs, ours = gymnasium.make("Ant-v5").unwrapped, gymnasium_ant(256, 0, 2)
    seen = np.array([theirs.reset(seed=seed)[0] for seed in range(256)])
    observation = ours.reset(0)[0]["proprio"].numpy()
    for starts in (seen, observation):
        noise = starts[:, :13] - [0.75, 1.0, *[0.0] * 11]
        assert np.abs(noise).max() <= RESET_NOISE + 1e-6
        assert noise.std() == pytest.approx(RESET_NOISE / np.sqrt(3), rel=0.05)
        assert starts[:, 13:27].std() == pytest.approx(RESET_NOISE, rel=0.05)
        assert not starts[:, 27:].any()
    theirs.close()
    ours.close()


def test_the_model_is_gymnasium_s():
    ours, theirs = gymnasium_ant(1, 0, 1).env.scene.model, AntEnv().model
    for name in ("body_mass", "body_inertia", "body_pos", "jnt_range", "dof_damping", "dof_armature", "geom_friction"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    for name in ("geom_size", "geom_conaffinity", "geom_contype", "geom_margin", "actuator_gear", "actuator_trnid"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert (ours.opt.timestep, ours.opt.integrator) == (theirs.opt.timestep, theirs.opt.integrator)
