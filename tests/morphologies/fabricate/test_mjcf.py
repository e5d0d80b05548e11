"""MJCF: alone, it is the body to the last digit, and our own reader takes it back."""

import mujoco
import numpy as np
import pytest

from embodied.testing import check_body
from tests.morphologies.fabricate.bodies import NAMES, SHIPPED, apart, body, made, read_back

EXACT = 1e-9


@pytest.mark.parametrize("name", [*NAMES, "go1", "max"])
def test_it_compiles_alone_to_the_same_physics(name, tmp_path):
    path = tmp_path / "alone.xml"
    path.write_bytes(made(name).files[f"mjcf/{name}.xml"])
    models = body(name).spec().compile(), mujoco.MjModel.from_xml_path(str(path))
    data = [mujoco.MjData(model) for model in models]
    rng = np.random.default_rng(1)
    for _ in range(400):
        control = rng.uniform(-1, 1, models[0].nu)
        for model, state in zip(models, data, strict=True):
            state.ctrl[:] = control
            mujoco.mj_step(model, state)
    assert data[0].qpos == pytest.approx(data[1].qpos, abs=EXACT)
    assert data[0].sensordata == pytest.approx(data[1].sensordata, abs=EXACT, rel=EXACT)
    assert models[0].body_mass == pytest.approx(models[1].body_mass, rel=EXACT)
    assert models[0].body_inertia == pytest.approx(models[1].body_inertia, rel=EXACT)


@pytest.mark.parametrize("name", [*SHIPPED, "max"])
def test_read_back_it_is_the_body_again(name, tmp_path):
    again = read_back(made(name), tmp_path, f"mjcf/{name}.xml")
    check_body(again)
    original = body(name)
    assert (again.root, again.feet, dict(again.pose)) == (original.root, original.feet, dict(original.pose))
    assert again.spawn_height == pytest.approx(original.spawn_height)
    assert apart(original, again, seconds=0.5)[0] < EXACT


@pytest.mark.parametrize("name", ["quadruped", "walker", "humanoid"])
def test_robots_with_tendons_and_filters_too(name):
    pytest.importorskip("dm_control", reason="needs the extra robots")
    original = body(name).spec().compile()
    written = mujoco.MjModel.from_xml_string(made(name).files[f"mjcf/{name}.xml"].decode(), body(name).spec().assets)
    for field in ("dof_armature", "jnt_range", "geom_size", "actuator_biasprm", "tendon_range", "body_inertia"):
        assert getattr(original, field) == pytest.approx(getattr(written, field), abs=EXACT)
