import json

import mujoco
import numpy as np
import pytest

from embodied.bench.physics_changes import BASE, CHANGES, changed, fits
from embodied.bench.physics_options import BENCH, PhysicsOptions, motion
from embodied.bench.physics_profile import profile_tape
from embodied.bench.physics_setting import compose
from embodied.bench.physics_tape import BLOCK, Replay, Tape, record
from embodied.envs import make
from embodied.envs.make import bodies_of
from embodied.learning.evaluate import random_actor, zero_actor
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress
from embodied.tasks import find_task


def tape_of(task: str, body: str, steps: int, warm_up: int, still: bool = False) -> Tape:
    env = make(task, body, 12, threads=1)
    actor = zero_actor(env.action_space) if still else random_actor(env.action_space, 0)
    tape = record(env, actor, 4, warm_up, steps, seed=0)
    env.close()
    return tape


@pytest.fixture(scope="module")
def walk() -> Tape:
    """The ant, on the ground and moved at random."""
    return tape_of("flat", "ant", 20, 20)


@pytest.fixture(scope="module")
def fall() -> Tape:
    """The ant before it first touches the ground, 0.2 m below."""
    return tape_of("flat", "ant", BLOCK - 1, 0, still=True)


def test_a_tape_is_what_the_plain_engine_does(walk):
    data = mujoco.MjData(walk.model)
    for world in range(walk.worlds):
        mujoco.mj_setState(walk.model, data, walk.states[0, world], mujoco.mjtState.mjSTATE_INTEGRATION)
        for controls in walk.controls[:, world]:
            data.ctrl[:] = controls
            mujoco.mj_step(walk.model, data, walk.decimation)
        last = np.empty(walk.states.shape[-1])
        mujoco.mj_getState(walk.model, data, last, mujoco.mjtState.mjSTATE_INTEGRATION)
        np.testing.assert_array_equal(last, walk.states[-1, world])


def test_worlds_that_are_pushed_or_begin_anew_are_no_part_of_a_tape():
    env = make("velocity", "go1", 12, threads=1)  # pushed once in 400 control steps, and drawn from its bearings
    with pytest.raises(UserError, match="worlds only"):
        record(env, random_actor(env.action_space, 0), 12, 0, 450, seed=0)
    env.close()


def test_less_gravity_is_seen_as_the_velocity_that_it_does_not_give(fall):
    model = changed(BASE, fall.model, mujoco.MjSpec)
    model.opt.gravity[2] += 0.5
    base, other = (Replay(fall, each, fall.decimation) for each in (fall.model, model))
    before, after = (replay.play(0, 1)[1] for replay in (base, other))
    assert np.abs(before).max() < 1.0  # so that differences are not scaled
    dt = fall.decimation * fall.model.opt.timestep
    np.testing.assert_allclose(after - before, [[0, 0, 0.5 * dt] + [0] * 15] * fall.worlds, atol=1e-9)


def test_motion_measures_a_known_difference():
    tape = tape_of("flat", "ant", BLOCK, 0, still=True)
    model = changed(BASE, tape.model, mujoco.MjSpec)
    model.opt.gravity[2] += 0.5
    moved = motion(Replay(tape, tape.model, 4), Replay(tape, model, 4))
    assert moved["one"] == pytest.approx(0.5 * 0.02, rel=1e-6)
    # Semi-implicit: after n steps of dt the height differs by g dt² n (n + 1) / 2. Contact comes within the last one.
    assert moved["ten"] == pytest.approx(0.5 * 0.005**2 * 40 * 41 / 2, rel=0.1)
    assert not moved["identical"]


def test_the_same_model_gives_the_same_bits_and_a_shaken_start_does_not(walk):
    base = Replay(walk, walk.model, walk.decimation)
    same = motion(base, Replay(walk, walk.model, walk.decimation))
    assert same == {"one": 0.0, "ten": 0.0, "all": 0.0, "identical": True}
    shaken = motion(base, base, 1e-10)
    assert 0 < shaken["one"] < 1e-6


@pytest.mark.parametrize(("task", "body"), [("flat", "ant"), ("velocity", "go1"), ("manipulate_ball", "ant")])
def test_every_change_can_be_made_and_leaves_the_scene_as_it_was(task, body):
    found = find_task(task)
    bodies = bodies_of(found, body)
    scene = find_task(task).scene(bodies)
    size = mujoco.mj_sizeModel(scene.model)
    before, after = np.empty(size, np.uint8), np.empty(size, np.uint8)
    mujoco.mj_saveModel(scene.model, None, before)
    for change in CHANGES:
        model = changed(change, scene.model, lambda: compose(found, bodies))
        assert (model.nq, model.nv, model.nu) == (scene.model.nq, scene.model.nv, scene.model.nu)
        np.testing.assert_allclose(model.body_mass, scene.model.body_mass)
        assert not fits(change, 1, ()) or change.longer <= 1
    mujoco.mj_saveModel(scene.model, None, after)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", ["islands", "clock", "no sensors", "no touch", "no drawn geoms", "pairs", "dense"])
def test_what_must_not_matter_does_not_change_a_bit(walk, name):
    change = next(change for change in CHANGES if change.name == name)
    task = find_task("flat")
    model = changed(change, walk.model, lambda: compose(task, bodies_of(task, "ant")))
    if name == "pairs":
        assert model.npair == 9 + 9 * 8 // 2 - 8  # the floor with each; each with each, but parents with children
    assert motion(Replay(walk, walk.model, 4), Replay(walk, model, 4))["identical"]


def test_a_profile_is_the_whole_step_in_parts_and_counts_what_the_engine_counts(walk):
    figures = profile_tape(walk, runs=1)
    assert sum(figures["microseconds"].values()) == pytest.approx(figures["step"])
    assert min(figures["microseconds"].values()) >= 0
    counted = figures["counts"]
    assert figures["physics_steps"] == 4 * 20 * walk.worlds
    assert counted["rows of contacts"]["mean"] == pytest.approx(4 * counted["contacts"]["mean"])  # a pyramid's edges
    assert counted["rows of dry friction"]["most"] == 0
    assert 0 < counted["solver iterations"]["mean"] <= counted["solver iterations"]["most"] <= 100


def test_options_are_measured_and_played(tmp_path):
    config = PhysicsOptions(
        learning=1, worlds=4, warm_up=5, control_steps=10, rounds=1, episodes=2, only=("islands", "10 ms", "no touch")
    )
    with Progress("test") as progress:
        figures = BENCH.run(config, progress)
    json.dumps(figures)
    assert list(figures["speed"]) == ["as it is", "islands", "10 ms", "no touch"]
    assert figures["unchanged"] == {"as it is": True, "islands": True, "10 ms": False, "no touch": True}
    assert list(figures["episodes"]) == ["as it is", "islands", "10 ms"]
    assert figures["episodes"]["islands"]["return"] == figures["episodes"]["as it is"]["return"]
    assert figures["episodes"]["10 ms"]["return"] != figures["episodes"]["as it is"]["return"]
    rows = BENCH.rows(figures)
    assert len({len(row) for row in rows}) == 1
    assert [row[0] for row in rows[1:]] == [*figures["speed"], "shaken by 1e-10"]


def test_an_unknown_option_is_named():
    with Progress("test") as progress, pytest.raises(UserError, match="no option island; there are again"):
        BENCH.run(PhysicsOptions(only=("island",)), progress)
