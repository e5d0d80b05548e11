"""``embodied export check``: whole bundles pass, and whatever is wrong with others is said."""

import hashlib
import json
import math
import os
import re
import zipfile

import numpy as np
import onnx
import pytest
import torch

from embodied.cli.main import main
from embodied.export.arrays import read_arrays
from embodied.export.check import judge
from embodied.export.errors import BundleError
from embodied.export.film import film_bundle
from embodied.export.graph import Graph
from embodied.export.manifest import MANIFEST, SUMS, read_bundle
from embodied.export.opening import open_bundle
from embodied.export.tolerances import TOLERANCES


def rewritten(bundle, change):
    """Changes a manifest, and brings its own checksum up to date as a careful forger would."""
    manifest = json.loads((bundle / MANIFEST).read_text())
    change(manifest)
    text = json.dumps(manifest).encode()
    (bundle / MANIFEST).write_bytes(text)
    lines = (bundle / SUMS).read_text().splitlines()
    lines = [line for line in lines if not line.endswith(f"  {MANIFEST}")] + [f"{_sha(text)}  {MANIFEST}"]
    (bundle / SUMS).write_text("\n".join(sorted(lines, key=lambda line: line.split("  ")[1])) + "\n")


def _sha(content):
    return hashlib.sha256(content).hexdigest()


def replaced(bundle, path, content):
    """Puts another file in the place of one, with all checksums as they should be."""
    (bundle / path).write_bytes(content)
    lines = [line for line in (bundle / SUMS).read_text().splitlines() if not line.endswith(f"  {path}")]
    (bundle / SUMS).write_text("\n".join([*lines, f"{_sha(content)}  {path}"]) + "\n")
    rewritten(
        bundle, lambda manifest: manifest["files"].update({path: {"sha256": _sha(content), "bytes": len(content)}})
    )


def refused(bundle, *words):
    with pytest.raises(BundleError) as error:
        judge(bundle)
    for word in words:
        assert word in str(error.value)


def test_a_bundle_does_what_the_framework_does(made_bundle, capsys):
    main(["export", "check", str(made_bundle)])
    assert "at the 99th percentile" in capsys.readouterr().out
    verdict = judge(made_bundle)
    assert verdict.observation <= TOLERANCES["observation"]
    assert verdict.action <= TOLERANCES["action"]
    assert verdict.replayed <= 1e-9
    assert verdict.apart.joint_pos <= TOLERANCES["joint_pos"]
    assert verdict.apart.upright <= TOLERANCES["closed_loop"]
    assert verdict.apart.speed <= TOLERANCES["closed_loop"]
    assert verdict.recorded.speed > 0.0
    assert not verdict.notes


def files_of(bundle):
    return sorted(path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file())


def test_one_byte_changed_in_any_file_is_refused(bundle):
    for path in files_of(bundle):
        content = (bundle / path).read_bytes()
        for place in (0, len(content) // 2, len(content) - 1):
            changed = bytearray(content)
            changed[place] ^= 1
            (bundle / path).write_bytes(changed)
            refused(bundle, str(bundle))
        (bundle / path).write_bytes(content)


def test_any_missing_file_is_refused_by_name(bundle):
    for path in files_of(bundle):
        content = (bundle / path).read_bytes()
        (bundle / path).unlink()
        refused(bundle, path, "missing")
        (bundle / path).write_bytes(content)


@pytest.mark.parametrize("part", [0, 1, 500, 3000])
def test_a_manifest_cut_short_is_refused(bundle, part):
    text = (bundle / MANIFEST).read_bytes()
    (bundle / MANIFEST).write_bytes(text[:part])
    refused(bundle, MANIFEST, "cut short")


def test_a_newer_manifest_is_refused_with_the_way_out(bundle):
    rewritten(bundle, lambda manifest: manifest.update(version=2))
    refused(bundle, "version 2", "newer", "upgrade")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(format="something.else"), ("format",)),
        (lambda m: m.update(version="one"), ("version",)),
        (lambda m: m["robot"].pop("mass"), ("robot", "mass")),
        (lambda m: m.update(comment="hello"), ("comment",)),
        (lambda m: m["timing"].update(control_period="fast"), ("timing.control_period",)),
        (lambda m: m["conventions"].update(quaternion="xyzw"), ("quaternion",)),
        (lambda m: m["files"].update({"../escape": {"sha256": "0" * 64, "bytes": 1}}), ("../escape",)),
        (lambda m: m["files"].update({"/etc/hostname": {"sha256": "0" * 64, "bytes": 1}}), ("/etc/hostname",)),
        (lambda m: m.update(files={}), ("files",)),
        (lambda m: m["action"]["actuators"][0].update(scale=0.5), ("joint positions",)),
        (lambda m: m["networks"][0]["inputs"][0]["terms"][0].update(scale=2.0), ("observations",)),
        (lambda m: m["networks"][0]["inputs"][0].update(name="other"), ("policy.onnx",)),
        (lambda m: m["robot"]["joints"].reverse(), ("joint positions",)),
        (lambda m: m["robot"]["joints"][0].update(name="tail"), ("tail",)),
        (lambda m: m["timing"].update(simulation_steps=5), ("simulation_steps",)),
    ],
)  # fmt: skip
def test_a_manifest_that_does_not_tell_the_truth_is_refused(bundle, change, words):
    rewritten(bundle, change)
    refused(bundle, *words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["timing"].update(control_period=1e-9), ("timing.control_period",)),
        (lambda m: m["timing"].update(control_period=1e300), ("beyond all bounds",)),
        (lambda m: m["timing"].update(control_period=math.nan), ("NaN is no number",)),
        (lambda m: m["timing"].update(simulation_steps=10**6), ("simulation_steps",)),
        (lambda m: m["robot"].update(mass=10**400), ("is no number", "beyond all bounds")),
        (lambda m: _first_term(m).update(history=10**6), ("no history",)),
        (lambda m: _first_term(m).update(start=10**6), ("side by side",)),
        (lambda m: _first_term(m).update(reading="sonar"), ("sonar", "no reading")),
        (lambda m: _first_term(m).update(also=["sonar"]), ("sonar", "no reading")),
        (lambda m: _first_term(m).update(subtract=[0.0] * 7), ("subtract",)),
        (lambda m: m["networks"][0]["output"].update(size=3), ("last network",)),
        (lambda m: m["networks"][0]["output"].update(name="latent"), ("latent",)),
        (lambda m: m["action"]["actuators"].pop(), ("last network",)),
        (lambda m: m["action"]["actuators"][2].update(scale=0), ("a scale of 0",)),
        (lambda m: m["action"].update(about_reading="gyro"), ("about_reading",)),
        (lambda m: m["readings"][0].update(size=10**9), ("1,048,576 numbers",)),
        (lambda m: m["return"].update(episodes=0), ("return.episodes",)),
        (lambda m: m["return"].update(episodes=10**6), ("return.episodes",)),
        (lambda m: m["return"].update(seed=-1), ("return.seed",)),
        (lambda m: m["return"].update(mean=math.inf), ("is no number",)),
        (lambda m: m["return"].pop("chance"), ("chance",)),
    ],
)  # fmt: skip
def test_a_manifest_whose_parts_do_not_fit_together_is_refused_unopened(bundle, change, words):
    rewritten(bundle, change)
    for word in words:
        with pytest.raises(BundleError, match=re.escape(word)):
            read_bundle(bundle)


def _first_term(manifest):
    return manifest["networks"][0]["inputs"][0]["terms"][0]


def test_arrays_that_would_unpack_to_more_than_a_recording_are_refused(bundle):
    with zipfile.ZipFile(bundle / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("action.npy", bytes(1 << 28))
        archive.writestr("more.npy", b"1")
    content = (bundle / "bomb.npz").read_bytes()
    assert len(content) < 1 << 20
    with pytest.raises(BundleError, match="unpacks to 268,435,457 bytes"):
        read_arrays(content, "bomb.npz")


def test_another_network_in_the_place_of_one_is_refused(bundle):
    graph = Graph("policy")
    graph.output("action", graph.linear(graph.input("policy", 44), torch.nn.Linear(44, 12), "linear"), 12)
    replaced(bundle, "policy.onnx", graph.to_bytes("Reads one number less."))
    refused(bundle, "policy.onnx", "not the network")


def test_a_folder_that_is_none_and_a_link_out_of_it_are_refused(bundle, tmp_path):
    refused(tmp_path / "nowhere", "no such folder")
    outside = tmp_path / "outside.md"
    outside.write_bytes((bundle / "README.md").read_bytes())
    (bundle / "README.md").unlink()
    (bundle / "README.md").symlink_to(outside)
    refused(bundle, "outside of the bundle")


def test_a_network_that_would_read_other_files_is_refused(bundle):
    model = onnx.load(bundle / "policy.onnx")
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../secret")
    replaced(bundle, "policy.onnx", model.SerializeToString())
    refused(bundle, "policy.onnx")


def test_other_weights_are_found_out_by_the_test_vectors(bundle):
    model = onnx.load(bundle / "policy.onnx")
    tensor = next(each for each in model.graph.initializer if each.name == "actor/trunk/3/bias")
    values = onnx.numpy_helper.to_array(tensor).copy()
    values[0] += 1e-3
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    replaced(bundle, "policy.onnx", model.SerializeToString())
    refused(bundle, "actions")


def test_a_hostile_scene_meets_the_reader_for_robot_files(bundle):
    path = "robot/mjcf/scene.xml"
    text = (bundle / path).read_text()
    replaced(bundle, path, b'<!DOCTYPE mujoco [<!ENTITY x "y">]>' + text.encode())
    refused(bundle, "DOCTYPE")
    replaced(bundle, path, text.replace("go1.xml", "../../../outside.xml").encode())
    refused(bundle, "outside.xml")


def test_another_robot_in_the_scene_is_found_out(bundle):
    path = "robot/mjcf/go1.xml"
    text = (bundle / path).read_text()
    assert 'mass="5.204"' in text
    replaced(bundle, path, text.replace('mass="5.204"', 'mass="6.204"').encode())
    refused(bundle, "joint positions")


def test_arrays_that_are_none_are_refused(bundle):
    replaced(bundle, "test_vectors.npz", b"nothing of the kind")
    refused(bundle, "test_vectors.npz")
    np.savez(bundle / "bad.npz", action=np.array([np.nan]))
    replaced(bundle, "test_vectors.npz", (bundle / "bad.npz").read_bytes())
    refused(bundle, "finite")


def test_a_script_of_somebody_else_is_told_and_not_run(bundle, tmp_path):
    trap = tmp_path / "sprung"
    for script in ("run_policy.py", "trial.py", "simulate.py"):
        text = (bundle / script).read_text()
        replaced(bundle, script, (f"open({str(trap)!r}, 'w').close()\n" + text).encode())
    (bundle / "notes.txt").write_text("ours")
    verdict = judge(bundle)
    assert not trap.exists()
    assert len(verdict.notes) == 2
    assert "run_policy.py" in " ".join(verdict.notes)
    assert "notes.txt" in " ".join(verdict.notes)


def test_a_bundle_of_before_scripts_were_parted_is_sound_and_the_check_says_what_is_not_in_it(bundle):
    gone = ("trial.py", "simulate.py")
    lines = [line for line in (bundle / SUMS).read_text().splitlines() if not line.endswith(gone)]
    (bundle / SUMS).write_text("\n".join(lines) + "\n")
    for script in gone:
        (bundle / script).unlink()
        rewritten(bundle, lambda manifest, script=script: manifest["files"].pop(script))
    rewritten(bundle, lambda manifest: manifest.pop("return"))
    scripts, returns = judge(bundle).notes
    assert scripts.startswith("trial.py, simulate.py: not as this version of embodied writes it")
    assert returns.startswith("no mean return is kept in it")


@pytest.mark.parametrize("arrays", [{}, {"root_pose": np.zeros((2, 0, 7))}, {"root_pose": np.zeros(7)}])
def test_a_bundle_without_recorded_starts_has_no_film(bundle, tmp_path, arrays):
    np.savez(tmp_path / "loop.npz", other=np.zeros(3), **arrays)
    replaced(bundle, "closed_loop.npz", (tmp_path / "loop.npz").read_bytes())
    with pytest.raises(BundleError, match="has no recorded starts"):
        film_bundle(open_bundle(bundle), tmp_path / "film.mp4", 0, 1.0, (64, 64))
    assert not (tmp_path / "film.mp4").exists()


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(bundle):
    (bundle / "README.md").unlink()
    os.mkfifo(bundle / "README.md")
    refused(bundle, "README.md", "it is no file")


def test_the_command_says_what_is_wrong_and_exits_with_2(bundle, capsys):
    (bundle / "policy.onnx").write_bytes(b"")
    for arguments in (["check", str(bundle)], ["check"], ["check", str(bundle / "nowhere")]):
        with pytest.raises(SystemExit) as stopped:
            main(["export", *arguments])
        assert stopped.value.code == 2
    assert "policy.onnx" in capsys.readouterr().err
