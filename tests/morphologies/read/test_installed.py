"""Robots that the project has never seen: every MJCF of dm_control and gymnasium that can fall loads and moves."""

import importlib.util
import re
from functools import cache
from pathlib import Path

import mujoco
import numpy as np
import pytest

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from morphologies.read import Overrides, Reading, RobotError, read
from morphologies.read.compile import quiet

DECIMATION = 4
CONTROL_STEPS = 100
TIMESTEP = 0.005
REFUSED = {
    "dm_control/locomotion/walkers/assets/build_fruitfly/floor.xml": "'head_body.msh' is not there",
    "dm_control/locomotion/walkers/assets/build_fruitfly/fruitfly.xml": "'head_body.msh' is not there",
    "dm_control/locomotion/walkers/assets/dog_v2/scene.xml": "repeated name 'grid'",
    "dm_control/mjcf/test_assets/test_model.xml": "mass and inertia of moving bodies",
}
"""Files with a floating base that MuJoCo itself cannot load from where they lie, with the reason."""


def _package(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    return Path(next(iter(found.submodule_search_locations))) if found else None


def _floating(root: Path) -> list[str]:
    """Models with a free joint, or a planar root, in them or in what they include, by text alone."""
    found = []
    for path in sorted(root.rglob("*.xml")):
        texts, waiting = [], [path]
        while waiting:
            file = waiting.pop()
            if file.is_file():
                texts.append(file.read_text(errors="replace"))
                waiting += [file.parent / name for name in re.findall(r'<include\s+file="([^"]+)"', texts[-1])]
        text = "\n".join(texts)
        slide = re.search(r'<joint[^>]*name="root_?z"[^>]*>', text)
        planar = slide and "slide" in slide[0]
        falls = "<freejoint" in text or re.search(r'<joint[^>]*type="free"', text) or planar
        if falls and "<mujoco" in texts[0] and "<body" in text:
            found.append(f"{root.name}/{path.relative_to(root)}")
    return found


PACKAGES = {name: root for name in ("dm_control", "gymnasium") if (root := _package(name))}
FILES = [file for root in PACKAGES.values() for file in _floating(root)]
pytestmark = pytest.mark.skipif("dm_control" not in PACKAGES, reason="dm_control is not installed")


@cache
def _read(file: str) -> Reading:
    package, _, inner = file.partition("/")
    root = PACKAGES[package]
    return read(root / inner, asset_root=root, overrides=Overrides(), trusted=True)


@pytest.mark.parametrize("file", [file for file in FILES if file not in REFUSED])
def test_it_loads_and_moves_under_random_actions(file):
    reading = _read(file)
    assert reading.root in ("free", "planar")
    scene = Scene(FlatArena(), {"robot": reading.body()}, min(TIMESTEP, reading.timestep), DECIMATION)
    model, data = scene.model, mujoco.MjData(scene.model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    entity = scene.entities["robot"]
    assert len(entity.root_joints) == {"free": 1, "planar": 3}[reading.root]
    assert entity.actuators
    low, high = entity.control_range.T
    rng = np.random.default_rng(0)
    start = data.qpos.copy()
    for _ in range(CONTROL_STEPS):
        data.ctrl[:] = rng.uniform(low, high)
        mujoco.mj_step(model, data, DECIMATION)
    assert np.isfinite(data.qpos).all()
    assert np.isfinite(data.qvel).all()
    assert not any(warning.number for warning in data.warning)
    assert np.abs(data.qpos - start).max() > 1e-3


@pytest.mark.parametrize("file", REFUSED)
def test_those_refused_are_refused_by_the_engine_too(file):
    package, _, inner = file.partition("/")
    with quiet(), pytest.raises(ValueError):
        mujoco.MjModel.from_xml_path(str(PACKAGES[package] / inner))
    with pytest.raises(RobotError, match=re.escape(Path(file).name)) as error:
        _read(file)
    assert REFUSED[file] in str(error.value)


def test_how_many_of_how_many_load(capsys):
    refused = {}
    for file in FILES:
        try:
            _read(file)
        except RobotError as error:
            refused[file] = error.wrong
    with capsys.disabled():
        print(f"\n{len(FILES) - len(refused)} of {len(FILES)} floating robots of {', '.join(PACKAGES)} load; refused:")
        for file, wrong in refused.items():
            print(f"  {file}: {wrong[:100]}")
    assert refused.keys() == REFUSED.keys()
    assert len(FILES) - len(refused) >= 20
