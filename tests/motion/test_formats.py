"""Formats: files made by hand mean what they mean to their own code; what is damaged or foreign is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.files import FORMATS, format_of, read_motion, writers
from embodied.motion.formats import amp, ase, dm_control, lifelike, mjlab, motion_imitation, own
from embodied.motion.formats.reading import Told
from embodied.motion.quaternions import from_rotation_vector, multiply, rotate, to_xyzw
from embodied.motion.skeleton import skeleton_of
from tests.motion.invented import GO1_JOINTS, circle, swinging, walk
from tests.motion.real import real_clips

LEANING = from_rotation_vector(np.array((0.1, -0.2, 1.3)))
"""A root that is level about no axis: an order of components that is wrong shows."""


def still(frames: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """(T, 3) moving, and (T, 4) turned and still."""
    pos = np.stack((np.linspace(0, 1, frames), np.zeros(frames), np.full(frames, 0.4)), axis=1)
    return pos, np.tile(LEANING, (frames, 1))


def write_json(path: Path, **content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def lifelike_file(path: Path, **changes: Any) -> Path:
    pos, quat = still()
    joints = np.tile(np.arange(12) / 10, (10, 1))
    frames = np.concatenate((pos, to_xyzw(quat), joints), axis=1).tolist()
    content = {"FrameDuration": 1 / 120, "LegOrder": ["HR", "HL", "FR", "FL"], "Frames": frames}
    return write_json(path, **{**content, **changes})


def imitation_file(path: Path, loop: str = "Wrap", **changes: Any) -> Path:
    frames = 21
    phase = np.linspace(0, 2 * np.pi, frames)
    pos = np.stack((np.linspace(0, 1, frames), np.zeros(frames), np.full(frames, 0.4)), axis=1)
    # The model there is turned by this before it stands; what the file has is both turns, one after the other.
    initial = np.array((0.5, 0.5, 0.5, 0.5))
    quat = multiply(np.tile(LEANING, (frames, 1)), initial)
    joints = np.tile((0.1, 0.1, -0.9, 0.1, 0.1, -0.9, 0.1, 0.1, -0.9, 0.1, 0.1, -0.9), (frames, 1))
    joints[:, 1] += 0.2 * np.sin(phase)
    rows = np.concatenate((pos, to_xyzw(quat), joints), axis=1).tolist()
    offsets = {"EnableCycleOffsetPosition": True, "EnableCycleOffsetRotation": False}
    return write_json(path, **{"LoopMode": loop, "FrameDuration": 0.02, **offsets, "Frames": rows, **changes})


def amp_file(path: Path, robot: str = "go1", **changes: Any) -> Path:
    skeleton = skeleton_of(robot)
    pos, quat = still(12)
    joints = np.tile(skeleton.pose, (12, 1)) + 0.1 * np.sin(np.arange(12))[:, None]
    feet = skeleton.feet(np.zeros((12, 3)), np.tile((1.0, 0, 0, 0), (12, 1)), joints).reshape(12, 12)
    rows = np.concatenate((pos, to_xyzw(quat), joints, feet, np.zeros((12, 30))), axis=1).tolist()
    content = {"LoopMode": "Clamp", "FrameDuration": 0.02, "MotionWeight": 0.5, "Frames": rows}
    return write_json(path, **{**content, **changes})


def ase_file(path: Path, armed: bool = True, local: bool = True, **changes: Any) -> tuple[Path, dict[str, np.ndarray]]:
    """A motion of ASE's humanoid with known hinge angles, as numpy.save pickles it."""
    arm = ["upper_arm", "lower_arm", "hand"]
    names = ["pelvis", "torso", "head", *(f"right_{each}" for each in arm), *(["sword"] if armed else [])]
    names += ["left_upper_arm", "left_lower_arm", *(["shield"] if armed else []), "left_hand"]
    names += [f"{side}_{each}" for side in ("right", "left") for each in ("thigh", "shin", "foot")]
    parents = [-1, 0, 1, 1, 3, 4, *([5] if armed else [])]
    elbow = names.index("left_lower_arm")
    parents += [1, elbow - 1, *([elbow] if armed else []), elbow]
    hips = names.index("right_thigh"), names.index("left_thigh")
    for hip in hips:
        parents += [0, hip, hip + 1]
    rng = np.random.default_rng(0)
    rotation, angles = np.zeros((8, len(names), 4)), {}
    rotation[..., 0] = 1.0
    pos, quat = still(8)
    rotation[:, 0] = quat
    joints = {**ase.LINKS, **({"right_hand": ("right_hand", ase.THREE)} if armed else {})}
    for link, (joint, axes) in joints.items():
        turns = rng.uniform(-1.2, 1.2, size=(8, len(axes)))
        angles |= {joint + axis: turns[:, i] for i, axis in enumerate(axes)}
        made = np.tile((1.0, 0, 0, 0), (8, 1))
        for i, axis in enumerate(np.eye(3) if len(axes) == 3 else np.eye(3)[1:2]):
            made = multiply(made, from_rotation_vector(turns[:, i : i + 1] * axis))
        rotation[:, names.index(link)] = made
    if not local:
        for link in range(1, len(names)):
            rotation[:, link] = multiply(rotation[:, parents[link]], rotation[:, link])
    data = {
        "rotation": {"arr": to_xyzw(rotation).astype(np.float32), "context": {"dtype": "float32"}},
        "root_translation": {"arr": pos.astype(np.float32)},
        "skeleton_tree": {"node_names": names, "parent_indices": {"arr": np.array(parents)}},
        "is_local": local,
        "fps": 30,
        "__name__": "SkeletonMotion",
        **changes,
    }
    np.save(path, np.array(data, dtype=object), allow_pickle=True)
    return path, angles


def test_lifelike_files_are_reordered_by_leg_and_have_the_scalar_last(tmp_path):
    (clip,) = read_motion(lifelike_file(tmp_path / "dog.txt"))
    assert (clip.robot, clip.frame_rate, clip.loop) == ("max", 120.0, False)
    assert clip.joint_names == skeleton_of("max").joint_names
    assert np.allclose(clip.joint_pos[0], np.array([6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]) / 10)
    assert np.allclose(clip.root_quat, LEANING)
    assert np.allclose(clip.root_velocity[:, 0], 120 / 9)


def test_motion_imitation_files_are_turned_back_and_their_joints_are_the_manufacturers(tmp_path):
    (clip,) = read_motion(imitation_file(tmp_path / "trot.txt"))
    assert clip.robot == "laikago"
    assert np.allclose(clip.root_quat, LEANING, atol=1e-9)
    # Abduction changes its sense on the right; hips hang 0.6 further back, knees are 0.66 more bent.
    assert np.allclose(clip.joint_pos[0], (-0.1, 0.7, -1.56, 0.1, 0.7, -1.56) * 2)
    assert clip.loop
    assert clip.num_frames == 20
    assert clip.duration == pytest.approx(0.4)
    assert clip.cycle == pytest.approx((1.0, 0.0, 0.0))
    assert np.allclose(clip.root_velocity[:, 0], 1.0 / 0.4)


def test_a_loop_whose_ends_are_apart_is_closed_where_little_is_missing_and_plays_once_where_much(tmp_path):
    rows = json.loads(imitation_file(tmp_path / "a.txt").read_text())["Frames"]
    for number, row in enumerate(rows):
        row[8] += 0.2 * number / 20
    (clip,) = read_motion(imitation_file(tmp_path / "a.txt", Frames=rows))
    assert clip.loop
    assert any("0.20 rad apart" in note for note in clip.notes)
    seam = clip.joint_pos[0] - clip.joint_pos[-1]
    assert abs(seam[1]) < 0.1
    rows[-1][8] += 0.5
    (clip,) = read_motion(imitation_file(tmp_path / "a.txt", Frames=rows))
    assert not clip.loop
    assert any("joints are 0.70 rad apart at its ends: it plays once" in note for note in clip.notes)
    (clip,) = read_motion(imitation_file(tmp_path / "a.txt", loop="Clamp"))
    assert not clip.loop
    assert clip.num_frames == 21


def test_amp_files_are_of_the_robot_whose_feet_they_have(tmp_path):
    path = amp_file(tmp_path / "trot0.txt")
    (clip,) = read_motion(path, Told(robot="go1"))
    assert clip.robot == "go1"
    assert np.allclose(clip.root_quat, LEANING)
    assert np.allclose(clip.joint_pos[0], skeleton_of("go1").pose)
    with pytest.raises(MotionError, match=r"is a motion of another robot than max: its feet are 0\.\d\d m from"):
        read_motion(path, Told(robot="max"))
    with pytest.raises(MotionError, match="does not say which robot it is of; give --robot"):
        read_motion(path)


def test_mjlab_files_need_robot_and_rate_and_as_many_columns_as_the_robot_has_joints(tmp_path):
    path = tmp_path / "walk.csv"
    pos, quat = still()
    joints = np.tile(skeleton_of("go1").pose, (10, 1))
    np.savetxt(path, np.concatenate((pos, to_xyzw(quat), joints), axis=1), delimiter=",", fmt="%.17g")
    (clip,) = read_motion(path, Told(robot="go1", frame_rate=30.0))
    assert np.allclose(clip.root_quat, LEANING)
    assert np.array_equal(clip.joint_pos, joints)
    with pytest.raises(MotionError, match="give --rate"):
        read_motion(path, Told(robot="go1"))
    np.savetxt(path, np.zeros((10, 18)), delimiter=",")
    with pytest.raises(MotionError, match="has 18 columns; one of go1 has 7 for the root, 12 for its joints"):
        read_motion(path, Told(robot="go1", frame_rate=30.0))


@pytest.mark.parametrize("armed", [True, False])
@pytest.mark.parametrize("local", [True, False])
def test_ase_files_give_the_angles_of_mujocos_hinges(tmp_path, armed, local):
    path, angles = ase_file(tmp_path / "RL_Avatar_Walk.npy", armed, local)
    (clip,) = read_motion(path)
    assert clip.robot == ("ase_humanoid_sword_shield" if armed else "ase_humanoid")
    assert len(clip.joint_names) == (31 if armed else 28)  # as ASE counts its actions
    assert np.allclose(clip.root_quat, LEANING, atol=1e-6)
    for name, expected in angles.items():
        assert np.allclose(clip.joint_pos[:, clip.joint_names.index(name)], expected, atol=1e-5), name


def test_three_hinges_turn_as_mujoco_turns_them():
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body()
    for axis in np.eye(3):
        body.add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, axis=axis)
    body.add_geom(size=[0.1, 0, 0])
    model = spec.compile()
    data = mujoco.MjData(model)
    for angles in np.random.default_rng(1).uniform(-1.4, 1.4, size=(20, 3)):
        data.qpos[:] = angles
        mujoco.mj_kinematics(model, data)
        assert np.allclose(ase.about_xyz(data.xquat[1:2])[0], angles, atol=1e-12)


def test_ase_files_that_hold_code_are_refused_and_run_none(tmp_path):
    path, ran = tmp_path / "hostile.npy", tmp_path / "ran"

    class Hostile:
        def __reduce__(self):
            return Path.touch, (ran,)

    np.save(path, np.array({"rotation": Hostile()}, dtype=object), allow_pickle=True)
    with pytest.raises(MotionError, match=r"hostile\.npy is not read: it asks for .*, which is code, not data"):
        read_motion(path)
    assert not ran.exists()


def test_ase_files_of_another_body_are_refused(tmp_path):
    path, _ = ase_file(tmp_path / "a.npy")
    with pytest.raises(MotionError, match="is a motion of ase_humanoid_sword_shield, not of go1"):
        read_motion(path, Told(robot="go1"))
    tree = {"node_names": [f"link{i}" for i in range(17)], "parent_indices": {"arr": np.arange(17)}}
    path, _ = ase_file(tmp_path / "a.npy", skeleton_tree=tree)
    with pytest.raises(MotionError, match="which are not those of ASE's humanoid"):
        read_motion(path)
    path, _ = ase_file(tmp_path / "a.npy", root_translation={"arr": np.zeros((8, 2))})
    with pytest.raises(MotionError, match="no motion of ASE's humanoid"):
        read_motion(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"fps": 10**400},
        {"skeleton_tree": {"node_names": [["pelvis"]] * 17}},
        {"skeleton_tree": {"node_names": dict.fromkeys(map(str, range(17)))}},
        {"skeleton_tree": {"node_names": b"x" * 17}},
        {"parents": np.arange(17) + 100},
        {"parents": np.zeros((17, 2), int)},
        {"parents": np.full(17, np.nan)},
        {"parents": ["pelvis"] * 17},
    ],
)
def test_ase_files_of_another_shape_are_refused(tmp_path, changes):
    path, _ = ase_file(tmp_path / "a.npy", local=False)
    names = read_pickle_of(path)["skeleton_tree"]["node_names"]
    if "parents" in changes:
        changes = {"skeleton_tree": {"node_names": names, "parent_indices": {"arr": changes["parents"]}}}
    path, _ = ase_file(tmp_path / "a.npy", local=False, **changes)
    with pytest.raises(MotionError, match="no motion of ASE's humanoid"):
        read_motion(path)


def read_pickle_of(path: Path) -> dict[str, Any]:
    return np.load(path, allow_pickle=True).item()


def test_a_frame_of_no_length_in_hdf5_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs the extra motion")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("clip")
        group.attrs["dt"] = 0.0
        walker = group.create_group("walkers/walker_0")
        for name, rows in (("position", 3), ("quaternion", 4), ("joints", 56)):
            walker[name] = np.ones((rows, 5))
    with pytest.raises(MotionError, match=r"a\.h5 is damaged"):
        read_motion(tmp_path / "a.h5")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "clip.npz")
    with pytest.raises(MotionError, match="no file with a beginning and an end"):
        read_motion(tmp_path / "clip.npz")


def test_dm_controls_own_clips_have_the_joints_of_its_walker(tmp_path):
    pytest.importorskip("h5py", reason="needs the extra motion")
    import importlib.util

    found = importlib.util.find_spec("dm_control")
    if found is None or found.submodule_search_locations is None:
        pytest.skip("dm_control is not installed")
    folder = Path(next(iter(found.submodule_search_locations))) / "locomotion"
    clips = read_motion(folder / "mocap" / "test_trajectories.h5")
    assert [clip.name for clip in clips] == ["cmuv2019_001", "cmuv2019_002"]
    model = mujoco.MjModel.from_xml_path(str(folder / "walkers" / "assets" / "humanoid_CMU_V2019.xml"))
    assert set(clips[0].joint_names) == {model.joint(j).name for j in range(model.njnt) if model.jnt_type[j] == 3}
    clip = clips[0]
    assert (clip.num_frames, clip.frame_rate, clip.robot) == (10, 20.0, "humanoid_cmu")
    # Upright, for the walker's root looks along its own z: the scalar is first in this format, and stays there.
    assert rotate(clip.root_quat[0], np.array((0.0, 1.0, 0.0)))[2] > 0.9
    short = tmp_path / "short.h5"
    short.write_bytes((folder / "mocap" / "test_trajectories.h5").read_bytes()[:50_000])
    with pytest.raises(MotionError, match=r"short\.h5 is damaged"):
        read_motion(short)
    # The file has velocities of its own.
    import h5py

    with h5py.File(folder / "mocap" / "test_trajectories.h5") as file:
        theirs = np.asarray(file["cmuv2019_001/walkers/walker_0/joints_velocity"]).T
    middle = slice(2, -2)
    assert np.abs(clip.joint_vel[middle] - theirs[middle]).max() < 0.5 * np.abs(theirs).max()


def test_what_is_written_in_a_format_is_read_back_to_the_last_bit(tmp_path):
    assert set(writers()) == {"embodied", "lifelike", "mjlab"}
    rng = np.random.default_rng(5)
    time = np.arange(50) / 97.3
    pos, quat = circle(time)
    names = skeleton_of("max").joint_names
    clip = MotionClip.from_poses("a", "max", 97.3, pos, quat, names, rng.normal(size=(50, 12)), licence="CC0-1.0")
    for module, told in ((lifelike, Told()), (mjlab, Told("max", 97.3)), (own, Told())):
        path = tmp_path / f"a{module.SUFFIX}"
        module.write(path, clip)
        assert format_of(path) is module
        (again,) = read_motion(path, dataclasses.replace(told, licence="CC0-1.0"))
        assert dataclasses.replace(again, source="").same_as(clip), module.NAME


def test_what_a_format_cannot_hold_is_not_written(tmp_path):
    with pytest.raises(MotionError, match="is looped; files of lifelike are of max and not looped"):
        lifelike.write(tmp_path / "a.txt", walk())


@pytest.mark.parametrize("suffix", [".txt", ".json", ".csv", ".npz", ""])
def test_files_are_told_apart_by_what_is_in_them(tmp_path, suffix):
    place = tmp_path / f"clip{suffix}"
    assert format_of(lifelike_file(place)) is lifelike
    assert format_of(imitation_file(place)) is motion_imitation
    assert format_of(amp_file(place)) is amp
    own.write(place, walk())
    assert format_of(place) is own
    place.write_text(",".join(["0.1"] * 19) + "\n")
    assert format_of(place) is mjlab
    place.write_bytes(dm_control.MAGIC + b"...")
    assert format_of(place) is dm_control
    saved = tmp_path / "saved.npy"
    ase_file(saved)
    place.write_bytes(saved.read_bytes())
    assert format_of(place) is ase


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"{}", b"[1, 2]", b"\x00" * 5000, b"PK\x03\x04", b'{"Frames": []}', pickle.dumps({"a": 1})],
)
def test_what_is_no_motion_is_refused_by_name(tmp_path, content):
    path = tmp_path / "thing.dat"
    path.write_bytes(content)
    with pytest.raises(MotionError, match=r"thing\.dat"):
        read_motion(path)


MAKERS = {
    "lifelike": lifelike_file,
    "motion_imitation": imitation_file,
    "amp": amp_file,
    "ase": lambda p: ase_file(p)[0],
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_file_cut_short_anywhere_is_refused(tmp_path, kind):
    path = MAKERS[kind](tmp_path / "clip.npy")
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 2, 25).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(MotionError, match=r"clip\.npy"):
            read_motion(path, Told(robot="go1") if kind == "amp" else None)


@pytest.mark.parametrize("kind", ["lifelike", "motion_imitation", "amp"])
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda rows: rows[3].__setitem__(9, float("nan")), "not finite in frame 3"),
        (lambda rows: rows[3].__setitem__(9, float("inf")), "not finite in frame 3"),
        (lambda rows: rows[4].__setitem__(2, "high"), "something other than numbers in frame 4"),
        (lambda rows: rows[5].pop(), r"numbers in frame 5, where \d+ were expected"),
        (lambda rows: rows[6].__setitem__(slice(3, 7), [0, 0, 0, 0]), "no rotation in frame 6"),
        (lambda rows: rows.__delitem__(slice(1, None)), "no two frames"),
        (lambda rows: rows[2].__setitem__(0, 10**400), "beyond all bounds"),
    ],
)
def test_damaged_frames_are_refused_by_number(tmp_path, kind, damage, why):
    path = MAKERS[kind](tmp_path / "clip.json")
    content = json.loads(path.read_text())
    damage(content["Frames"])
    path.write_text(json.dumps(content))
    with pytest.raises(MotionError, match=why):
        read_motion(path, Told(robot="go1") if kind == "amp" else None)


@pytest.mark.parametrize("duration", [0, -0.01, "fast", None, True, 1e9])
def test_a_frame_must_have_a_length(tmp_path, duration):
    with pytest.raises(MotionError, match="FrameDuration"):
        read_motion(lifelike_file(tmp_path / "a.txt", FrameDuration=duration))


def test_a_file_of_one_robot_is_not_read_as_another_nor_at_another_rate(tmp_path):
    path = lifelike_file(tmp_path / "dog.txt")
    with pytest.raises(MotionError, match="is a motion of max, not of go1; leave --robot out, and give --retarget go1"):
        read_motion(path, Told(robot="go1"))
    with pytest.raises(MotionError, match="has 120 frames in a second, not 30"):
        read_motion(path, Told(frame_rate=30.0))
    own.write(tmp_path / "walk.npz", walk())
    with pytest.raises(MotionError, match="is a motion of go1, not of max"):
        read_motion(tmp_path / "walk.npz", Told(robot="max"))


def test_every_format_is_listed_once():
    assert len({module.NAME for module in FORMATS}) == len(FORMATS)


def test_real_files_are_read_whole():
    for path in real_clips("lifelike/dog_back_001*") + real_clips("motion_imitation/sidesteps*"):
        (clip,) = read_motion(path)
        rows = json.loads(path.read_text())["Frames"]
        assert clip.num_frames == len(rows) - clip.loop
        assert clip.robot in ("max", "laikago")
        # Dogs walk upright.
        up = rotate(clip.root_quat, np.array((0.0, 0.0, 1.0)))[:, 2]
        assert up.min() > 0.9
    assert clip.joint_names == GO1_JOINTS
    assert swinging(np.zeros(1), 1.0).shape == (1, 12)
