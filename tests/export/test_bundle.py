"""What a bundle says, against the robot's data sheet, the task's own figures and other programs."""

import json
import shutil
import subprocess
from xml.etree import ElementTree

import mujoco
import numpy as np
import pytest

from embodied.cli.main import main

LEGS = ("FR", "FL", "RR", "RL")


@pytest.fixture(scope="module")
def manifest(made_bundle):
    return json.loads((made_bundle / "manifest.json").read_text())


def test_joints_are_those_of_the_go1_in_its_order(manifest):
    joints = {joint["name"]: joint for joint in manifest["robot"]["joints"]}
    assert list(joints) == [f"{leg}_{part}_joint" for leg in LEGS for part in ("hip", "thigh", "calf")]
    knee, hip = joints["FR_calf_joint"], joints["FL_hip_joint"]
    expected = {"default": -1.8, "lower": -2.818, "upper": -0.888, "max_velocity": 20.06, "max_torque": 35.55}
    assert {name: knee[name] for name in expected} == pytest.approx(expected)
    assert (knee["kp"], knee["kd"], hip["kp"], hip["max_torque"]) == (50.0, 0.5, 35.0, 23.7)
    assert hip["default"] == 0.1
    assert manifest["robot"]["mass"] == pytest.approx(12.01, abs=0.01)
    assert manifest["timing"] == {"control_period": 0.02, "simulation_period": 0.005, "simulation_steps": 4}


def test_actions_are_told_unscaled_with_what_scales_them(manifest):
    action = manifest["action"]
    assert not action["scale_in_network"]
    assert action["clip"] == 100.0
    third = action["actuators"][2]
    assert (third["joint"], third["meaning"]) == ("FR_calf_joint", "position")
    assert [third[key] for key in ("offset", "scale", "low", "high")] == pytest.approx([-1.8, 0.25, -2.818, -0.888])


def test_terms_lie_side_by_side_and_fill_their_input(manifest):
    (network,) = manifest["networks"]
    (given,) = network["inputs"]
    assert [term["name"] for term in given["terms"]] == [
        *("gyro", "gravity", "command", "joint_deviation", "joint_vel", "last_action"),
    ]  # fmt: skip
    starts, stops = zip(*((term["start"], term["stop"]) for term in given["terms"]), strict=True)
    assert starts == (0, *stops[:-1])
    assert stops[-1] == given["size"] == 45
    sources = {each["name"]: each["source"] for each in manifest["readings"]}
    assert sources.pop("command") == "given"
    assert set(sources.values()) == {"measured"}  # nothing that a robot would have to estimate


def test_training_and_licence_are_told_and_nothing_of_the_machine(manifest, made_bundle):
    training = manifest["training"]
    assert (training["task"], training["steps"], training["seed"]) == ("velocity", 1000, 3)
    assert (manifest["licence"], training["data"]) == ("CC0-1.0", [])
    text = (made_bundle / "manifest.json").read_text() + (made_bundle / "README.md").read_text()
    assert str(made_bundle.parent) not in text


def test_sha256sum_agrees(made_bundle):
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=made_bundle, capture_output=True)
    assert done.returncode == 0, done.stdout
    listed = {line.split("  ")[1] for line in (made_bundle / "SHA256SUMS").read_text().splitlines()}
    there = {path.relative_to(made_bundle).as_posix() for path in made_bundle.rglob("*") if path.is_file()}
    assert listed == there - {"SHA256SUMS"}


def test_the_urdf_and_both_mjcf_hold_the_whole_robot(made_bundle, manifest):
    robot = manifest["robot"]
    for path in (robot["mjcf"], robot["scene"], robot["urdf"]):
        model = mujoco.MjModel.from_xml_path(str(made_bundle / path))
        assert model.body_mass.sum() == pytest.approx(robot["mass"], rel=1e-9), path
    tree = ElementTree.parse(made_bundle / robot["urdf"])
    driven = [joint.get("name") for joint in tree.iter("joint") if joint.get("type") == "revolute"]
    assert sorted(map(str, driven)) == sorted(joint["name_in_urdf"] for joint in robot["joints"])


def test_the_readme_tells_every_joint_term_and_reading(made_bundle, manifest):
    text = (made_bundle / "README.md").read_text()
    named = [joint["name"] for joint in manifest["robot"]["joints"]]
    named += [each["name"] for each in manifest["readings"]]
    named += [term["name"] for term in manifest["networks"][0]["inputs"][0]["terms"]]
    assert not [name for name in named if name not in text]
    assert "50 Hz" in text


def test_the_networks_file_is_what_the_manifest_says(made_bundle, manifest):
    import onnx

    model = onnx.load(made_bundle / manifest["networks"][0]["file"])
    assert model.opset_import[0].version == manifest["networks"][0]["opset"]
    assert model.ir_version == manifest["networks"][0]["ir_version"]


def test_test_vectors_move(made_bundle):
    with np.load(made_bundle / "test_vectors.npz") as vectors:
        assert vectors["action"].shape == (20, 25, 12)
        assert np.abs(np.diff(vectors["action"], axis=1)).max() > 0.1
        assert vectors["reading/orientation"].shape == (20, 25, 4)


def test_the_same_run_is_exported_to_the_same_bytes(made_run, made_bundle, tmp_path):
    main(["export", str(made_run), "--out", str(tmp_path / "bundle"), "--licence", "CC0-1.0"])
    assert (tmp_path / "bundle" / "SHA256SUMS").read_bytes() == (made_bundle / "SHA256SUMS").read_bytes()


@pytest.mark.parametrize("what", ["a file", "another's folder", "a damaged bundle"])
def test_nothing_else_is_overwritten(what, made_run, bundle, tmp_path, capsys):
    out = tmp_path / "out"
    if what == "a file":
        out.write_text("mine")
    elif what == "another's folder":
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
    else:
        out = bundle
        (bundle / "policy.onnx").unlink()
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(made_run), "--out", str(out)])
    assert stopped.value.code == 2
    assert str(out) in capsys.readouterr().err


def test_a_training_gives_its_body_where_that_is_asked_for(made_run, tmp_path):
    main(["export", str(made_run), "--what", "body", "--out", str(tmp_path / "body")])
    assert (tmp_path / "body" / "parts.json").exists()
    assert not (tmp_path / "body" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("evaluation.json", b"{", "evaluation.json is damaged"),
        ("evaluation.json", b"[]", "evaluation.json is damaged"),
        ("policy.safetensors", b"", "policy.safetensors is damaged"),
        ("config.yaml", b"{kind: imitate, task: velocity}", "it names no robot"),
        ("config.yaml", b"{kind: imitate, robot: go1, motions: 3}", "motions is 3, and no list"),
        ("config.yaml", b"{kind: train, task: location, body: go1}", "location"),
    ],
)
def test_a_damaged_run_is_not_handed_over(made_run, tmp_path, capsys, path, content, why):
    run = tmp_path / "run"
    shutil.copytree(made_run, run)
    (run / path).write_bytes(content)
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(run), "--what", "policy", "--out", str(tmp_path / "bundle")])
    assert stopped.value.code == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()
