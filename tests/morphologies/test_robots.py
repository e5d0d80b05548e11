"""The robots that ship stand as their data say, and dm_control's go by their names."""

import importlib.util
import subprocess
import sys

import mujoco
import numpy as np
import pytest

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.testing import check_body
from morphologies import RobotError, body_names, find_body, robot_names, robots

LEGS = ("FR", "FL", "RR", "RL")
FIGURES = {
    # Mass, kg; hip, m; side offset of the thigh, m; thigh and shank, m; foot radius, m.
    "go1": (12.0, (0.1881, 0.04675), 0.08, (0.213, 0.213), 0.02),
    "max": (13.0, (0.195, 0.06), 0.09, (0.2115, 0.24), 0.025),
}
SAG = {"go1": 0.03, "max": 0.022}
"""m: how much lower the trunk hangs in its gains than its pose says."""


def _scene(name: str) -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = Scene(FlatArena(), {"robot": find_body(name)}).model
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    mujoco.mj_forward(model, data)
    return model, data


@pytest.mark.parametrize("name", FIGURES)
def test_dimensions_are_the_published_ones(name):
    mass, (x, y), offset, (thigh, shank), radius = FIGURES[name]
    body = find_body(name)
    model = body.spec().compile()
    assert model.body_mass.sum() == pytest.approx(mass, abs=0.05)
    assert body.feet == tuple(f"{leg}_foot" for leg in LEGS)
    assert [model.actuator(a).name for a in range(model.nu)] == [
        f"{leg}_{joint}_joint" for leg in LEGS for joint in ("hip", "thigh", "calf")
    ]
    for leg in LEGS:
        side = -1 if leg[1] == "R" else 1
        front = 1 if leg[0] == "F" else -1
        assert model.body(f"{leg}_hip").pos == pytest.approx([front * x, side * y, 0])
        assert model.body(f"{leg}_thigh").pos == pytest.approx([0, side * offset, 0])
        assert model.body(f"{leg}_calf").pos == pytest.approx([0, 0, -thigh])
        assert model.body(f"{leg}_foot").pos == pytest.approx([0, 0, -shank])
        assert model.geom(f"{leg}_foot").size[0] == radius
    check_body(body)


def test_the_standing_height_follows_from_the_legs():
    go1, abduction, hip = find_body("go1"), 0.1, 0.9
    leg = 2 * 0.213 * np.cos(hip)
    # The leg's plane leans outward by the abduction about an axis 0.08 m inside it.
    assert go1.standing_height == pytest.approx(leg * np.cos(abduction) - 0.08 * np.sin(abduction) + 0.02, abs=1e-6)


@pytest.mark.parametrize("name", FIGURES)
def test_the_quadrupeds_stand_for_five_seconds(name):
    model, data = _scene(name)
    standing = find_body(name).standing_height
    history = []
    for _ in range(1000):
        mujoco.mj_step(model, data)
        history.append(data.xpos[1].copy())
    places = np.array(history)
    assert standing - SAG[name] < places[-1, 2] < standing
    later = places[600:]
    assert np.ptp(later[:, 2]) < 2e-3, "it neither sinks nor bounces any more"
    assert np.linalg.norm(later[-1] - later[0]) < 4e-3, "it does not creep"
    assert data.xmat[1].reshape(3, 3)[2, 2] > np.cos(np.radians(3))
    touched = {model.body(int(model.geom_bodyid[g])).name for c in data.contact for g in c.geom} - {"world"}
    assert touched == {f"robot/{leg}_foot" for leg in LEGS}
    force = [float(data.sensor(f"robot/touch/{leg}_foot").data[0]) for leg in LEGS]
    weight = model.body_mass.sum() * 9.81
    assert sum(force) == pytest.approx(weight, rel=0.05)


@pytest.mark.parametrize("name", FIGURES)
def test_contact_of_anything_but_feet_is_told_apart(name):
    model, data = _scene(name)
    for leg in LEGS:  # folded legs: it comes down on its shanks
        low, high = model.joint(f"robot/{leg}_calf_joint").range
        data.ctrl[model.actuator(f"robot/{leg}_calf_joint").id] = low if name == "go1" else high
    for _ in range(400):
        mujoco.mj_step(model, data)
    others = [
        s for s in range(model.nsensor) if "touch/" in model.sensor(s).name and "foot" not in model.sensor(s).name
    ]
    assert any(data.sensordata[model.sensor_adr[s]] > 0 for s in others)


def test_the_legs_of_max_turn_the_other_way():
    go1, other = (find_body(name).spec().compile() for name in ("go1", "max"))
    for joint in ("FL_thigh_joint", "FL_calf_joint"):
        assert go1.joint(joint).axis == pytest.approx([0, 1, 0])
        assert other.joint(joint).axis == pytest.approx([0, -1, 0])


def test_robots_go_by_name():
    assert {"go1", "max", "dog", "humanoid", "quadruped", "walker"} <= set(robot_names()) <= set(body_names())


def test_without_dm_control_its_robots_name_the_extra(monkeypatch):
    monkeypatch.setattr(robots.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RobotError, match=r"dog: .*pip install 'embodied\[robots\]'"):
        find_body("dog")


@pytest.mark.skipif(importlib.util.find_spec("dm_control") is None, reason="dm_control is not installed")
@pytest.mark.parametrize(
    ("name", "root", "actuators", "feet"),
    [("dog", "free", 38, 4), ("humanoid", "free", 21, 2), ("quadruped", "free", 12, 4), ("walker", "planar", 6, 2)],
)
def test_dm_controls_robots_are_read(name, root, actuators, feet):
    body = find_body(name)
    assert body.root == root
    assert len(body.feet) == feet
    assert body.spec().compile().nu == actuators
    check_body(body)


@pytest.mark.skipif(importlib.util.find_spec("dm_control") is None, reason="dm_control is not installed")
def test_dm_control_itself_is_not_imported():
    code = "import sys; from morphologies import find_body; find_body('walker'); sys.exit('dm_control' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
