"""The synthesiser's parts against closed forms and MuJoCo, and a third robot that it has never seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.cli.main import main
from embodied.motion import MotionError
from embodied.motion.formats import own
from embodied.motion.laikago import laikago
from embodied.motion.synthesise import ROBOTS, clip_names, read_quadruped, synthesise
from embodied.motion.synthesise.balance import forces, loads
from embodied.motion.synthesise.easing import Channel, arch, ease, hermite, low_pass, twice_integrated
from embodied.motion.synthesise.footfalls import Path as Course
from embodied.motion.synthesise.footfalls import between_stands, footholds, stances
from embodied.motion.synthesise.gaits import PACE, TROT, WALK
from embodied.motion.synthesise.leg_angles import OutOfReach, leg_angles
from embodied.motion.synthesise.postures import bow, folded, lie, reach, sit
from morphologies import Body, find_body
from morphologies.robots import robot_folder

BODIES: dict[str, Body] = {**{name: find_body(name) for name in ROBOTS}, "laikago": laikago()}
SPREAD = np.array((0.6, 0.9, 0.7))
"""How far abduction, hip and knee are tried from where they stand, rad."""
READ = {name: read_quadruped(body) for name, body in BODIES.items()}


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=25, deadline=None)
@given(parts=st.lists(st.floats(0.05, 0.95), min_size=3, max_size=3))
def test_leg_angles_invert_the_models_own_kinematics(name: str, parts: list[float]) -> None:
    robot = READ[name]
    model = BODIES[name].spec().compile()
    data = mujoco.MjData(model)
    for leg in robot.legs:
        # Hips within half a turn of where they stand, knees that bend as they do there, feet below the trunk.
        stands = robot.pose[list(leg.joints)]
        low = np.maximum(leg.lower, stands - SPREAD)
        high = np.minimum(leg.upper, stands + SPREAD)
        angles = low + np.array(parts) * (high - low)
        data.qpos[:] = 0.0
        data.qpos[3] = 1.0
        data.qpos[[model.joint(robot.joint_names[j]).qposadr[0] for j in leg.joints]] = angles
        mujoco.mj_kinematics(model, data)
        ball = next(g for g in range(model.ngeom) if model.geom_bodyid[g] == model.body(leg.foot).id)
        assert np.allclose(leg_angles(leg, data.geom_xpos[ball][None])[0], angles, atol=1e-9)


def test_a_foot_beyond_reach_is_refused_with_the_distance() -> None:
    leg = READ["go1"].legs[0]
    with pytest.raises(OutOfReach, match=r"0\.5.* m from the hip; it reaches from 0\.000 to 0\.426 m"):
        leg_angles(leg, leg.root + leg.offset + np.array([[0.0, 0.0, -0.5]]))


def test_what_is_read_of_go1_is_what_its_file_says() -> None:
    robot = READ["go1"]
    assert [leg.foot for leg in robot.legs] == ["FR_foot", "FL_foot", "RR_foot", "RL_foot"]
    assert [(leg.front, leg.left) for leg in robot.legs] == [(True, False), (True, True), (False, False), (False, True)]
    assert robot.mirrored == [1, 0, 3, 2]
    assert np.allclose(robot.legs[1].offset, (0.0, 0.08, 0.0))
    assert np.allclose(robot.legs[1].thigh, (0.0, 0.0, -0.213))
    assert (robot.legs[0].bend, READ["max"].legs[0].bend) == (-1.0, -1.0)
    assert np.array_equal(READ["max"].legs[0].signs, (1.0, -1.0, -1.0))
    assert robot.belly == pytest.approx(0.057)
    assert robot.size == pytest.approx(min(robot.hip_height, 0.74 * 2 * 0.1881))


def test_easing_starts_and_ends_at_rest_and_jerks_least() -> None:
    u = np.linspace(0.0, 1.0, 2001)
    value = ease(u)
    assert (value[0], value[-1], value[1000]) == (0.0, 1.0, pytest.approx(0.5))
    # The least integral of squared jerk of such moves is 720 (Flash and Hogan).
    jerk = np.diff(value, 3) / (u[1] - u[0]) ** 3
    assert np.sum(jerk**2) * (u[1] - u[0]) == pytest.approx(720.0, rel=0.01)
    assert arch(np.array((0.0, 0.4, 1.0))) == pytest.approx((0.0, 1.0, 0.0))
    assert arch(u).max() == pytest.approx(1.0)


def test_a_channel_holds_between_keys_and_passes_through_them() -> None:
    curve = Channel((1.0, 2.0), (2.0, 5.0), (3.0, 5.0), (4.0, -1.0))
    assert curve(np.array((0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 9.0))) == pytest.approx((2, 2, 3.5, 5, 5, 5, -1, -1))


def test_hermite_meets_both_states() -> None:
    t = np.linspace(0.0, 0.3, 3001)
    values = hermite(t / 0.3, 0.3, (1.0, -2.0, 3.0), (0.5, 4.0, -9.81))
    speed = np.gradient(values, t, edge_order=2)
    pull = np.gradient(speed, t, edge_order=2)
    assert (values[0], values[-1]) == (pytest.approx(1.0), pytest.approx(0.5))
    assert (speed[0], speed[-1]) == (pytest.approx(-2.0, abs=1e-4), pytest.approx(4.0, abs=1e-4))
    assert (pull[1], pull[-2]) == (pytest.approx(3.0, abs=0.5), pytest.approx(-9.81, abs=0.5))


def test_filters_answer_a_sine_as_the_equations_say() -> None:
    step, rate = 0.001, 2.0 * np.pi * 3.0
    t = np.arange(1000) * step
    wave = np.sin(rate * t)
    assert low_pass(wave, step, 5.0) == pytest.approx(wave * 25.0 / (25.0 + rate**2), abs=1e-9)
    assert twice_integrated(wave + 7.0, step) == pytest.approx(-wave / rate**2, abs=1e-9)
    assert twice_integrated(wave, step, 4.0) == pytest.approx(-wave / (rate**2 + 16.0), abs=1e-9)


def test_feet_carry_the_weight_on_average_and_nothing_in_flight() -> None:
    times = np.asarray(np.arange(1000) * 0.001, dtype=np.float64)
    load = np.stack([loads(times, [(a, a + 0.3)], 1.0) for a in (0.0, 0.05, 0.45, 0.5)], axis=1)
    force = forces(load, np.ones(1000), None)
    assert force.sum(axis=1).mean() == pytest.approx(1.0)
    assert force[900].sum() == 0.0
    # A half sine over its stance.
    assert load[150, 0] == pytest.approx(1.0)
    assert load[75, 0] == pytest.approx(np.sin(np.pi / 4))
    even = forces(np.maximum(load, 0.1), np.zeros(1000), None)
    assert even.sum(axis=1) == pytest.approx(np.ones(1000))


def test_feet_stand_for_their_duty_and_only_swing_when_they_may() -> None:
    times = np.linspace(-1.0, 3.0, 4001)
    found = stances(times, times / 0.5 - 0.25, np.full(4001, 0.6))
    assert all(up - down == pytest.approx(0.3) for down, up in found)
    assert found[0][0] == pytest.approx(-0.875)
    kept = between_stands(found, -2.0, 4.0, 0.0, 2.0)
    assert (kept[0][0], kept[-1][1]) == (-2.0, 4.0)
    assert kept[0][1] >= 0.0
    assert kept[-1][0] <= 2.0
    assert len(kept) == 4


def test_a_foot_is_under_the_hip_half_way_through_its_stance_in_a_turn_too() -> None:
    times = np.asarray(np.linspace(0.0, 2.0, 2001), dtype=np.float64)
    path = Course.along(times, np.full(2001, 0.8), np.full(2001, 0.1), np.full(2001, 1.5))
    place = footholds(path, [(0.4, 0.8)], np.tile((0.2, 0.1), (2001, 1)), False)
    seen = path.seen(np.repeat(place, 2001, axis=0))
    assert seen[600] == pytest.approx((0.2, 0.1), abs=1e-6)
    # A circle of radius |v| / rate about a centre to the left.
    centre = np.array((path.x[0] - 0.1 / 1.5, path.y[0] + 0.8 / 1.5))
    assert np.hypot(path.x - centre[0], path.y - centre[1]) == pytest.approx(
        np.full(2001, np.hypot(0.8, 0.1) / 1.5), abs=1e-5
    )


def test_gaits_are_those_of_the_literature() -> None:
    # Hildebrand: in a trot diagonal feet come down together, in a pace nearly those of a side, in a walk each alone.
    assert (TROT.left_fore, TROT.right_fore % 1.0) == (TROT.right_hind, TROT.left_hind)
    assert abs(PACE.left_fore - PACE.left_hind) < 0.05
    assert sorted((WALK.left_hind, WALK.left_fore, WALK.right_hind, WALK.right_fore)) == [0.0, 0.22, 0.5, 0.72]
    assert WALK.duty > 0.5 > TROT.duty
    # Alexander and Jayes: at a Froude number of 1, a stride of 2.4 hip heights.
    assert TROT.speed(0.3) == pytest.approx(np.sqrt(TROT.froude * 9.81 * 0.3))
    assert TROT.speed(0.3) * TROT.stride(0.3) == pytest.approx(2.4 * TROT.froude**0.34 * 0.3)


@pytest.mark.parametrize("name", BODIES)
def test_postures_fit_the_robot(name: str) -> None:
    robot = READ[name]
    for leg in robot.legs:
        assert folded(leg).height < 0.6 * robot.hip_height
        assert robot.hip_height - leg.radius < reach(leg) < np.linalg.norm(leg.thigh) + np.linalg.norm(leg.shank)
    assert robot.belly < lie(robot).z < 0.55 * robot.height
    assert sit(robot).pitch < -0.3
    assert bow(robot).pitch > 0.3


def test_a_robot_never_seen_before_gets_all_motions_with_its_feet_in_place() -> None:
    clips = synthesise(BODIES["laikago"])
    assert [clip.name for clip in clips] == clip_names()
    model = BODIES["laikago"].spec().compile()
    data = mujoco.MjData(model)
    for clip in (each for each in clips if each.name in ("walk", "gallop_left", "sit")):
        address = [model.joint(name).qposadr[0] for name in clip.joint_names]
        feet = [model.body(name).id for name in clip.foot_names]
        track = np.empty((clip.num_frames, 4, 3))
        for row in range(clip.num_frames):
            data.qpos[:7] = (*clip.root_pos[row], *clip.root_quat[row])
            data.qpos[address] = clip.joint_pos[row]
            mujoco.mj_kinematics(model, data)
            track[row] = data.geom_xpos[[model.body_geomadr[foot] for foot in feet]]
        both = (clip.contacts[1:] & clip.contacts[:-1])[..., None]
        assert np.abs(np.diff(track, axis=0) * both).max() < 1e-4, clip.name
        assert np.ptp(track[..., 2][clip.contacts]) < 1e-4, clip.name


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (lambda: find_body("ant"), "has no ball (a sphere) to stand on"),
        (lambda: find_body("biped"), "it has 2 feet"),
        (lambda: find_body("go1", root="fixed"), "its root is fixed, where a free one was expected"),
        (
            lambda: _changed('class="hip"><joint axis="0 1 0"', 'class="hip"><joint axis="0 0.6 0.8"'),
            "no hinges about x, y",
        ),
        (lambda: _changed('name="FL_hip" pos', 'name="FL_hip" euler="0 0 0.1" pos'), "the frame of FL_hip is turned"),
    ],
)
def test_what_is_no_such_robot_is_refused_with_the_reason(body: Callable[[], Body], why: str) -> None:
    with pytest.raises(MotionError, match=rf"cannot be synthesised for '.*': .*{re.escape(why)}"):
        read_quadruped(body())


def _changed(old: str, new: str) -> Body:
    """Go1 with something in its file replaced."""
    text = (robot_folder() / "go1.xml").read_text()
    text = re.sub(r">\s+<", "><", text)
    assert old in text
    go1 = BODIES["go1"]
    return replace(go1, spec=lambda: mujoco.MjSpec.from_string(text.replace(old, new)))


def test_an_unknown_motion_is_answered_with_close_names() -> None:
    with pytest.raises(MotionError, match=r"no motion called 'gallop'.* did you mean .*gallop_left"):
        synthesise(BODIES["go1"], ["gallop"])


def test_the_command_writes_clips_that_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["motion", "synthesise", "walk", "jump_turn_right", "--robot", "max", "--out", str(tmp_path / "clips")])
    assert "2 clips of max" in capsys.readouterr().out
    made = {clip.name: clip for clip in synthesise(BODIES["max"], ["walk", "jump_turn_right"])}
    for name, clip in made.items():
        assert own.read_clip(tmp_path / "clips" / f"{name}.npz").same_as(clip)


def test_the_command_asks_for_a_robot(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["motion", "synthesise"])
    assert left.value.code == 2
    assert "name a robot" in capsys.readouterr().err
