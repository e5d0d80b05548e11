"""``run_policy.py``: as a hardware team would have it, with next to nothing installed, and against hand computation."""

import json
import math
import os
import subprocess
import sys
import venv

import numpy as np
import pytest

from embodied.export.run_policy import BundledPolicy
from embodied.export.simulate import Simulation

ALONE = """
import importlib.abc, runpy, sys
ALLOWED = {*sys.stdlib_module_names, *sys.argv.pop(1).split(","), "__main__"}
class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ModuleNotFoundError(f"{name} is not there", name=name)
sys.meta_path.insert(0, Nothing())
script = sys.argv.pop(1)
sys.argv[0] = script
runpy.run_path(script, run_name="__main__")
"""
BARE = "numpy,onnxruntime"
MUJOCO = f"{BARE},mujoco,absl,etils,glfw,OpenGL,typing_extensions"


def alone(bundle, allowed, *arguments):
    """Runs the script where only some packages can be imported, from a folder that has none."""
    return subprocess.run(
        [sys.executable, "-P", "-c", ALONE, allowed, str(bundle / "run_policy.py"), *arguments],
        cwd=bundle.parent,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )


def test_it_reproduces_the_test_vectors_with_numpy_and_onnxruntime_alone(made_bundle):
    done = alone(made_bundle, BARE)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "observations differ by up to" in done.stdout


def test_it_simulates_with_mujoco_beside_them(made_bundle):
    done = alone(made_bundle, MUJOCO, "--simulate", "--start", "3")
    assert done.returncode == 0, done.stderr
    assert "10 s" in done.stdout or "9 s" in done.stdout


@pytest.mark.slow
def test_it_runs_in_an_environment_with_nothing_else_installed(made_bundle, tmp_path):
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "numpy", "onnxruntime"]
    subprocess.run(install, check=True, capture_output=True)
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True)
    assert not {each["name"] for each in json.loads(listed.stdout)} & {"torch", "mujoco", "embodied", "onnx"}
    done = subprocess.run([python, "run_policy.py"], cwd=made_bundle, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout


def test_wrong_actions_give_exit_status_1(bundle):
    with np.load(bundle / "test_vectors.npz") as file:
        vectors = dict(file)
    vectors["action"][4, 7, 2] += 1e-3
    np.savez(bundle / "test_vectors.npz", **vectors)
    done = alone(bundle, BARE)
    assert done.returncode == 1, done.stderr


@pytest.fixture(scope="module")
def policy(made_bundle):
    return BundledPolicy(made_bundle)


def level(**changed):
    pose = [-0.1, 0.9, -1.8, 0.1, 0.9, -1.8] * 2
    reading = {"gyro": [0.1, 0.2, 0.3], "orientation": [1.0, 0.0, 0.0, 0.0], "command": [0.5, -0.1, 0.2]}
    return {**reading, "joint_pos": pose, "joint_vel": np.arange(12.0), **changed}


def test_observations_are_as_computed_by_hand(policy):
    policy.reset()
    pose = np.array(level()["joint_pos"])
    seen = policy.observe(level(joint_pos=pose + 0.01 * np.arange(12)))["policy"]
    expected = [0.1, 0.2, 0.3, 0, 0, -1, 0.5, -0.1, 0.2, *(0.01 * np.arange(12)), *np.arange(12.0), *np.zeros(12)]
    np.testing.assert_allclose(seen, expected, atol=1e-7)


@pytest.mark.parametrize(
    ("turn", "axis", "expected"),
    [
        (90, (1, 0, 0), (0, -1, 0)),  # rolled to the right: down is to the right, y points left
        (90, (0, 1, 0), (1, 0, 0)),  # nose down: down is ahead
        (123, (0, 0, 1), (0, 0, -1)),  # heading does not show
        (180, (1, 0, 0), (0, 0, 1)),
    ],
)
@pytest.mark.parametrize("length", [1.0, -2.0])
def test_gravity_comes_from_the_orientation_whatever_its_sign_and_length(policy, turn, axis, expected, length):
    half = math.radians(turn) / 2
    quaternion = length * np.array([math.cos(half), *(math.sin(half) * np.array(axis))])
    seen = policy.observe(level(orientation=quaternion))["policy"]
    np.testing.assert_allclose(seen[3:6], expected, atol=1e-7)


def test_the_last_action_is_shown_until_a_reset(policy):
    policy.reset()
    action = policy.decide(policy.observe(level()))
    np.testing.assert_array_equal(policy.observe(level())["policy"][33:], action)
    policy.reset()
    np.testing.assert_array_equal(policy.observe(level())["policy"][33:], 0.0)
    policy.reset(0.5 * np.ones(12))
    np.testing.assert_array_equal(policy.observe(level())["policy"][33:], 0.5)


def test_controls_are_targets_about_the_default_pose_within_the_joints_ranges(policy):
    np.testing.assert_allclose(policy.controls(np.zeros(12)), level()["joint_pos"])
    action = np.zeros(12)
    action[1], action[2], action[5] = 2.0, 100.0, -100.0
    controls = policy.controls(action)
    np.testing.assert_allclose(controls[[1, 2, 5]], [0.9 + 2 * 0.25, -0.888, -2.818])


def test_a_missing_reading_is_named(policy):
    reading = level()
    del reading["command"]
    with pytest.raises(KeyError, match="command"):
        policy.observe(reading)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"gyro": [0.1, np.nan, 0.0]}, "gyro is not finite"),
        ({"joint_pos": [np.inf] * 12}, "joint_pos is not finite"),
        ({"gyro": "fast"}, "gyro is no array of numbers"),
        ({"gyro": [0.1, 0.2]}, "gyro has 2 numbers; expected 3"),
        ({"orientation": [0.0, 0.0, 0.0, 0.0]}, "an orientation is a quaternion"),
    ],
)
def test_a_reading_that_is_none_is_refused_and_leaves_no_trace(policy, changed, why):
    policy.reset()
    with pytest.raises(ValueError, match=why):
        policy.observe(level(**changed))
    assert not policy.past
    assert np.isfinite(policy.controls(policy.decide(policy.observe(level())))).all()


def test_arrays_that_a_driver_writes_into_again_do_not_change_the_past(prior_bundle):
    policy, gyro, seen = BundledPolicy(prior_bundle), np.zeros(3), []
    still = {"orientation": [1, 0, 0, 0], "joint_pos": np.zeros(12), "joint_vel": np.zeros(12)}
    for turn in (1.0, 2.0):
        gyro[0] = turn
        seen.append(policy.observe({**still, "gyro": gyro})["proprio"][72:81].reshape(3, 3)[:, 0].tolist())
    assert seen == [[1, 1, 1], [1, 1, 2]]


def test_actions_that_are_not_finite_are_never_given(policy):
    seen = policy.observe(level())
    with pytest.raises(ValueError, match="not finite"):
        policy.decide({"policy": np.nan * seen["policy"]})
    assert np.isfinite(policy.decide(seen)).all()


@pytest.mark.parametrize(
    ("path", "content", "arguments", "why"),
    [
        ("manifest.json", b"", (), "cannot be run"),
        ("test_vectors.npz", b"", (), "cannot be run"),
        ("policy.onnx", b"x", (), "policy.onnx is not the file"),
        ("test_vectors.npz", b"PK\x03\x04", (), "cannot be run"),
        ("notes.txt", b"x", ("--simulate", "--start", "20"), "the starts 0 to 19"),
        ("notes.txt", b"x", ("--simulate", "--give", "command", "nan", "0", "0"), "takes finite numbers"),
    ],
)
def test_what_cannot_be_run_is_told_in_a_sentence(bundle, path, content, arguments, why):
    (bundle / path).write_bytes(content)
    done = alone(bundle, MUJOCO if arguments else BARE, *arguments)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_a_simulation_without_mujoco_says_what_to_install(made_bundle):
    done = alone(made_bundle, BARE, "--simulate")
    assert done.returncode == 2
    assert "pip install mujoco" in done.stderr


def test_a_network_that_is_not_the_manifests_is_refused(bundle):
    content = bytearray((bundle / "policy.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "policy.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"policy\.onnx"):
        BundledPolicy(bundle)


def test_a_newer_manifest_is_refused(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(json.dumps({**manifest, "version": 2}))
    with pytest.raises(ValueError, match="version 2"):
        BundledPolicy(bundle)


def test_the_simulation_starts_where_it_is_told_and_reads_what_mujoco_says(policy, made_bundle):
    with np.load(made_bundle / "closed_loop.npz") as file:
        start = {key.split("/")[1]: file[key][2] for key in file if key.startswith("start/")}
        command = file["given/command"][2, :1]
    simulation = Simulation(policy)
    joints, roots = simulation.run(start, {"command": command}, 1)
    assert joints.shape == (1, 12)
    assert roots.shape == (1, 7)
    assert simulation.data.time == pytest.approx(0.02)
    reading = simulation.reading({"command": command[0]})
    for name, position in zip(policy.manifest["robot"]["joints"], reading["joint_pos"], strict=True):
        assert simulation.data.joint(name["name"]).qpos[0] == position
    np.testing.assert_array_equal(reading["gyro"], simulation.data.sensor("gyro").data)
    np.testing.assert_allclose(reading["gyro"], simulation.data.joint("root").qvel[3:], atol=1e-9)
