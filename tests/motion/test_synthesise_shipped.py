"""Every clip that ships, held against what a motion of a real robot must satisfy, by MuJoCo's kinematics alone.

The figures asked for are those of the issue and of docs/motions-that-ship.md; nothing here uses the synthesiser's own
geometry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import mujoco
import numpy as np
import pytest

from embodied.motion import MotionClip
from embodied.motion.files import motion_folder, read_clips
from embodied.motion.quaternions import from_yaw, rotate
from embodied.motion.synthesise import ROBOTS, clip_names, synthesise
from embodied.motion.velocities import moved
from morphologies import find_body

SPEEDS = {"go1": (30.1, 30.1, 20.06), "max": (20.0, 20.0, 33.0)}
"""Largest of abduction, hip and knee, rad/s, from the robots' publishers."""
ASKED = [
    "stand",
    "walk",
    "trot",
    "pace",
    "bound",
    "gallop_left",
    "turn_left",
    "circle_left",
    "sidestep_left",
    "back_up",
    "crouch",
    "creep",
    "sit",
    "lie",
    "get_up",
    "jump_up",
    "jump_forward",
    "play_bow",
]
FLYING = (
    "trot_fast",
    "bound",
    "gallop_left",
    "gallop_right",
    "jump_up",
    "jump_forward",
    "jump_turn_left",
    "jump_turn_right",
)
STEADY = [
    "stand",
    "creep",
    "crouch",
    "shake",
    "sit",
    "sit_still",
    "rise",
    "lie",
    "rest",
    "get_up",
    "play_bow",
    "paw_left",
    "paw_right",
    "jump_up",
    "jump_turn_left",
    "jump_turn_right",
]
"""Clips in which the weight is over the feet at all times that any stand."""
UNHURRIED = ("turn_left", "turn_right", "sidestep_left", "sidestep_right", "back_up")
"""Those in which it is near to what they span."""
BLIND = [
    *("stand", "creep", "crouch", "shake", "sit", "sit_still"),
    *("lie", "rest", "play_bow", "turn_left", "sidestep_left", "back_up"),
]
"""Clips that position actuators alone, told nothing of the trunk, can follow without a fall."""
TWOFOLD = [name.removesuffix("_left") for name in clip_names() if name.endswith("_left")]


@dataclass(frozen=True)
class Seen:
    """A clip as MuJoCo sees it; the frame after the last of a loop is the first one's, moved by the cycle."""

    clip: MotionClip
    feet: np.ndarray
    """(T, 4, 3) Centres of the feet."""
    bottoms: np.ndarray
    """(T, 4) Their lowest points."""
    centre: np.ndarray
    """(T, 3) Centre of mass."""
    lowest: np.ndarray
    """(T,) Of all solid shapes."""
    overlap: float
    """How deep parts of the robot are in one another."""


@cache
def seen(robot: str) -> dict[str, Seen]:
    model = find_body(robot).spec().compile()
    return {clip.name: _seen(model, clip) for clip in read_clips(motion_folder() / robot)}


def _seen(model: mujoco.MjModel, clip: MotionClip) -> Seen:
    data = mujoco.MjData(model)
    address = [model.joint(name).qposadr[0] for name in clip.joint_names]
    balls = [model.geom(name).id for name in clip.foot_names]
    solid = np.array([g for g in range(model.ngeom) if model.geom_contype[g]])
    rows = len(clip.root_pos)
    places, axes, centre, overlap = (
        np.empty((rows, len(solid), 3)),
        np.empty((rows, len(solid), 3)),
        np.empty((rows, 3)),
        0.0,
    )
    for row in range(rows):
        data.qpos[:3], data.qpos[3:7] = clip.root_pos[row], clip.root_quat[row]
        data.qpos[address] = clip.joint_pos[row]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        places[row], centre[row] = data.geom_xpos[solid], data.subtree_com[1]
        axes[row] = data.geom_xmat[solid, 6:]
        if row % 3 == 0:
            mujoco.mj_collision(model, data)
            overlap = max(overlap, -data.contact.dist.min(initial=0.0))
    feet = places[:, [list(solid).index(ball) for ball in balls]]
    lowest = (places[..., 2] - _half_height(model, solid, axes)).min(axis=1)
    return Seen(clip, feet, feet[..., 2] - model.geom_size[balls, 0], centre, lowest, overlap)


def _half_height(model: mujoco.MjModel, geoms: np.ndarray, down: np.ndarray) -> np.ndarray:
    """(T, G) How far shapes reach below their middles where the world's z is (T, G, 3) in their own frames."""
    size, kind = model.geom_size[geoms], model.geom_type[geoms]
    sphere = np.broadcast_to(size[:, 0], down.shape[:2])
    capsule = size[:, 0] + size[:, 1] * np.abs(down[..., 2])
    box = np.einsum("tgi,gi->tg", np.abs(down), size)
    kinds = [
        int(each) for each in (mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_BOX)
    ]
    assert np.isin(kind, kinds).all()
    return np.select([np.broadcast_to(kind == each, down.shape[:2]) for each in kinds], [sphere, capsule, box])


def stances(each: Seen) -> list[np.ndarray]:
    """(n, 3) The centre of a foot in each of its stances; one that goes on over the seam of a loop in one piece."""
    clip, found = each.clip, []
    for foot in range(4):
        on, track = clip.contacts[:, foot], each.feet[:, foot]
        if clip.loop and not on.all():
            # From where a swing ends, once round.
            start = int(np.flatnonzero(on & ~np.roll(on, 1))[0])
            turn, anchor = from_yaw(clip.cycle.heading), clip.root_pos[0] * (1, 1, 0)
            again = rotate(turn, track[:start] - anchor) + anchor + (clip.cycle.x, clip.cycle.y, 0.0)
            on, track = np.roll(on, -start), np.concatenate((track[start:], again))
        edges = np.flatnonzero(np.diff(np.concatenate(([0], on.astype(int), [0]))))
        found += [track[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return found


@pytest.fixture(params=ROBOTS)
def robot(request: pytest.FixtureRequest) -> str:
    return request.param


def test_there_are_twenty_clips_and_two_minutes_of_each_robot(robot: str) -> None:
    clips = [each.clip for each in seen(robot).values()]
    assert len(clips) >= 20
    assert sum(clip.duration for clip in clips) >= 120.0
    assert set(ASKED) <= {clip.name for clip in clips}
    assert {clip.name for clip in clips} == set(clip_names())
    assert min(clip.frame_rate for clip in clips) >= 50.0


def test_all_clips_together_take_less_than_three_megabytes() -> None:
    assert sum(path.stat().st_size for path in Path(motion_folder()).rglob("*") if path.is_file()) < 3e6


def test_each_clip_says_whose_it_is_and_on_what_terms(robot: str) -> None:
    body = find_body(robot)
    for each in seen(robot).values():
        clip = each.clip
        assert (clip.robot, clip.licence, clip.source) == (robot, "Apache-2.0", "")
        assert set(clip.foot_names) == set(body.feet)


def test_joints_stay_within_their_ranges(robot: str) -> None:
    model = find_body(robot).spec().compile()
    for each in seen(robot).values():
        low, high = np.array([model.joint(name).range for name in each.clip.joint_names]).T
        assert (each.clip.joint_pos >= low).all(), each.clip.name
        assert (each.clip.joint_pos <= high).all(), each.clip.name


def test_joints_stay_within_their_speeds(robot: str) -> None:
    for each in seen(robot).values():
        clip = each.clip
        joints = np.concatenate((clip.joint_pos, clip.joint_pos[:1])) if clip.loop else clip.joint_pos
        steps = np.abs(np.diff(joints, axis=0)).max(axis=0).reshape(4, 3).max(axis=0) * clip.frame_rate
        assert (steps <= SPEEDS[robot]).all(), (clip.name, steps)
        assert (np.abs(clip.joint_vel).reshape(-1, 4, 3).max(axis=(0, 1)) <= SPEEDS[robot]).all(), clip.name


def test_feet_do_not_slide_in_a_stance(robot: str) -> None:
    for each in seen(robot).values():
        for track in stances(each):
            assert np.ptp(track[:, :2], axis=0).max() < 0.01, each.clip.name


def test_nothing_is_a_centimetre_under_the_ground(robot: str) -> None:
    for each in seen(robot).values():
        assert each.bottoms.min() > -0.01, each.clip.name
        assert each.lowest.min() > -0.01, each.clip.name


def test_contacts_say_which_feet_are_on_the_ground(robot: str) -> None:
    for each in seen(robot).values():
        on = each.clip.contacts
        assert np.abs(each.bottoms[on]).max(initial=0.0) < 0.005, each.clip.name
        for foot in range(4):
            swings = np.flatnonzero(np.diff(np.concatenate(([0], (~on[:, foot]).astype(int), [0]))))
            for start, end in zip(swings[::2], swings[1::2], strict=True):
                cut = each.clip.loop and (start == 0 or end == len(on))
                assert cut or each.bottoms[start:end, foot].max() > 0.02, (each.clip.name, foot, start)


def test_no_part_of_the_robot_is_in_another(robot: str) -> None:
    for each in seen(robot).values():
        assert each.overlap < 0.005, each.clip.name


def test_the_weight_is_over_the_feet_in_postures_and_slow_gaits(robot: str) -> None:
    for names, most in ((STEADY, 0.0), (UNHURRIED, 0.045)):
        for name in names:
            each = seen(robot)[name]
            out = [
                _outside(centre[:2], feet[on, :2])
                for centre, feet, on in zip(each.centre, each.feet, each.clip.contacts, strict=True)
                if on.any()
            ]
            assert max(out) <= most + 1e-3, (name, max(out))


def test_walking_the_weight_is_on_average_over_the_feet_and_never_far(robot: str) -> None:
    for name in ("walk", "walk_and_stop", "stroll_left", "stroll_right"):
        each = seen(robot)[name]
        out = [_outside(c[:2], f[on, :2]) for c, f, on in zip(each.centre, each.feet, each.clip.contacts, strict=True)]
        assert np.mean(out) < 0.03, name
        assert np.max(out) < 0.14, name


def test_in_flight_the_centre_of_mass_falls_freely(robot: str) -> None:
    for name in FLYING:
        each = seen(robot)[name]
        dt = 1.0 / each.clip.frame_rate
        away = np.asarray(~each.clip.contacts.any(axis=1))
        inside = np.flatnonzero(away[1:-1] & away[:-2] & away[2:])
        assert len(inside) >= 3, name
        acceleration = (each.centre[2:] - 2 * each.centre[1:-1] + each.centre[:-2])[inside] / dt**2
        assert np.abs(acceleration[:, 2] + 9.81).max() < 0.2, name
        assert np.abs(acceleration[:, :2]).max() < 1.0, name


def test_jumps_leave_the_ground_and_arrive(robot: str) -> None:
    height, rise = find_body(robot).standing_height, 0.1
    assert seen(robot)["jump_up"].bottoms.min(axis=1).max() > rise
    jump = seen(robot)["jump_forward"]
    assert jump.bottoms.min(axis=1).max() > 0.07
    assert jump.centre[-1, 0] - jump.centre[0, 0] > 1.4 * height
    for side, sign in (("left", 1), ("right", -1)):
        quat = seen(robot)[f"jump_turn_{side}"].clip.root_quat[-1]
        ahead = rotate(quat, np.array((1.0, 0.0, 0.0)))
        assert np.allclose(ahead, (0.0, sign, 0.0), atol=0.01)


def test_motion_is_smooth_at_seams_as_elsewhere(robot: str) -> None:
    for each in seen(robot).values():
        clip = each.clip
        joints, root, speed = clip.joint_vel, clip.root_velocity.copy(), clip.frame_rate
        if clip.loop:
            again = clip.root_velocity[:1].copy()
            again[:, :3] = rotate(from_yaw(clip.cycle.heading), again[:, :3])
            joints, root = np.concatenate((joints, joints[:1])), np.concatenate((root, again))
        angular = np.abs(np.diff(joints, axis=0)).max(axis=1) * speed
        linear = np.linalg.norm(np.diff(root[:, :3], axis=0), axis=1) * speed
        turning = np.linalg.norm(np.diff(root[:, 3:], axis=0), axis=1) * speed
        assert angular.max() < 700.0, clip.name
        assert linear.max() < 45.0, clip.name
        assert turning.max() < 130.0, clip.name
        if clip.loop:
            assert angular[-1] <= 1.05 * angular[:-1].max(), clip.name
            assert linear[-1] <= 1.05 * linear[:-1].max() + 0.05, clip.name


def test_a_loop_goes_on_where_it_began(robot: str) -> None:
    """Beyond the last frame lies the first one, moved: the step across the seam is like those beside it."""
    for each in seen(robot).values():
        clip = each.clip
        if not clip.loop:
            continue
        pos, _ = moved(clip.root_pos[:1], clip.root_quat[:1], clip.root_pos[0], clip.cycle)
        steps = np.diff(np.concatenate((clip.root_pos[-3:], pos)), axis=0)
        assert np.abs(steps[2] - 2 * steps[1] + steps[0]).max() < 0.004, clip.name


def test_clips_that_are_no_loops_begin_and_end_at_rest(robot: str) -> None:
    for each in seen(robot).values():
        if not each.clip.loop:
            for frame in (0, -1):
                assert np.abs(each.clip.joint_vel[frame]).max() < 0.15, each.clip.name
                assert np.abs(each.clip.root_velocity[frame]).max() < 0.03, each.clip.name


def test_clips_from_and_to_a_stand_meet_in_one_posture(robot: str) -> None:
    clips = {name: each.clip for name, each in seen(robot).items()}
    stand = clips["stand"].joint_pos[0]
    pairs = [("sit", "sit_still"), ("sit", "rise"), ("sit", "paw_left"), ("lie", "rest"), ("lie", "get_up")]
    for before, after in pairs:
        assert np.abs(clips[before].joint_pos[-1] - clips[after].joint_pos[0]).max() < 0.01, (before, after)
    for name, clip in clips.items():
        if not clip.loop:
            assert (
                name in ("rise", "get_up", "paw_left", "paw_right") or np.abs(clip.joint_pos[0] - stand).max() < 0.01
            ), name
            assert name in ("sit", "lie", "paw_left", "paw_right") or np.abs(clip.joint_pos[-1] - stand).max() < 0.01, (
                name
            )


@pytest.mark.parametrize("stem", TWOFOLD)
def test_clips_to_the_right_are_mirror_images(robot: str, stem: str) -> None:
    left, right = seen(robot)[f"{stem}_left"], seen(robot)[f"{stem}_right"]
    names = left.clip.foot_names
    other = {"L": "R", "R": "L"}
    swap = [names.index(name[0] + other[name[1]] + name[2:]) for name in names]
    assert np.array_equal(left.clip.contacts[:, swap], right.clip.contacts)
    assert np.allclose(left.feet[:, swap] * (1, -1, 1), right.feet, atol=1e-4)
    assert np.allclose(left.centre[:, :2] * (1, -1), right.centre[:, :2], atol=5e-3)


def test_making_them_anew_gives_the_same_numbers(robot: str) -> None:
    for clip in synthesise(find_body(robot)):
        stored = seen(robot)[clip.name].clip
        assert (clip.loop, clip.joint_names, clip.foot_names) == (stored.loop, stored.joint_names, stored.foot_names)
        assert np.array_equal(clip.contacts, stored.contacts), clip.name
        assert np.allclose(clip.cycle, stored.cycle, atol=1e-5), clip.name
        for field, most in (("root_pos", 1e-5), ("root_quat", 1e-5), ("joint_pos", 2e-5)):
            assert np.allclose(getattr(clip, field), getattr(stored, field), atol=most, rtol=0), (clip.name, field)
        for field in ("root_velocity", "joint_vel"):
            assert np.allclose(getattr(clip, field), getattr(stored, field), atol=2e-3, rtol=0), (clip.name, field)


def test_slow_clips_are_balanced_enough_to_be_played_blindly(robot: str) -> None:
    spec = find_body(robot).spec()
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0.0, 0.0, 1.0])
    model = spec.compile()
    model.opt.timestep = 0.004
    data = mujoco.MjData(model)
    actuated = [model.joint(model.actuator_trnid[i, 0]).name for i in range(model.nu)]
    for name in BLIND:
        clip = seen(robot)[name].clip
        columns = [clip.joint_names.index(joint) for joint in actuated]
        mujoco.mj_resetData(model, data)
        data.qpos[:3], data.qpos[3:7] = clip.root_pos[0], clip.root_quat[0]
        data.qpos[[model.joint(joint).qposadr[0] for joint in clip.joint_names]] = clip.joint_pos[0]
        times = np.arange(0.0, clip.duration - 1.0 / clip.frame_rate, model.opt.timestep)
        frames = np.arange(clip.num_frames) / clip.frame_rate
        targets = np.stack([np.interp(times, frames, clip.joint_pos[:, column]) for column in columns], axis=1)
        for target in targets:
            data.ctrl[:] = target
            mujoco.mj_step(model, data)
        up, asked = (rotate(quat, np.array((0.0, 0.0, 1.0))) for quat in (data.qpos[3:7], clip.root_quat[-1]))
        assert up @ asked > np.cos(0.25), name
        assert abs(data.qpos[2] - clip.root_pos[-1, 2]) < 0.06, name


def _outside(point: np.ndarray, corners: np.ndarray) -> float:
    """How far a point is from what the corners span, m."""
    for a, b, c in combinations(corners, 3):
        sides = [_cross(q - p, point - p) for p, q in ((a, b), (b, c), (c, a))]
        if min(sides) >= 0.0 or max(sides) <= 0.0:
            return 0.0
    return min(
        [float(np.linalg.norm(point - corner)) for corner in corners]
        + [_from_segment(point, a, b) for a, b in combinations(corners, 2)]
    )


def _cross(a: np.ndarray, b: np.ndarray) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _from_segment(point: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    along = np.clip((point - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
    return float(np.linalg.norm(point - a - along * (b - a)))
