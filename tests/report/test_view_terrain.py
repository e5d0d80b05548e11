"""The ground and the things that the browser draws are those that the engine has."""

import mujoco
import numpy as np
import pytest

from embodied.report.viewer.performance import Performance, Role
from embodied.report.viewer.shapes import Figure
from embodied.report.viewer.terrain import FAR_GRAIN, FAR_REACH, GRAIN, REACH, around, lines, patch
from morphologies import find_body


@pytest.fixture(params=["variable", "incline", "manipulation", "obstacle", "flat"])
def performance(request):
    made = Performance(Role("it", request.param, find_body("ant"), None), "zero")
    yield made
    made.close()


def ground_under(performance, points):
    """By rays of the engine from above, which see what belongs to the world."""
    env = performance._env
    model, data = env.world._batch.get_model(0), env.world.data(0)
    found, geom = np.empty(len(points)), np.zeros(1, np.int32)
    for n, (x, y) in enumerate(points):
        group = np.array([1, 0, 0, 0, 0, 0], np.uint8)
        start = np.array([x, y, 30.0])
        found[n] = 30.0 - mujoco.mj_ray(model, data, start, np.array([0.0, 0.0, -1.0]), group, 1, -1, geom)
    return found


def test_the_patch_is_the_engines_ground_and_faces_up(performance):
    centre = np.array([12.0, 1.0])
    vertices, faces = patch(performance.heights, centre, REACH, GRAIN)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    chosen = np.random.default_rng(0).choice(len(faces), 60, replace=False)
    middles = (a + b + c)[chosen].astype(float) / 3
    expected = ground_under(performance, middles[:, :2])
    if performance.role.task in ("manipulation", "obstacle"):  # boxes lie on it, which are drawn as things
        assert (np.abs(middles[:, 2] - expected) < 1e-3).mean() > 0.6
    else:
        np.testing.assert_allclose(middles[:, 2], expected, atol=1e-4)


def test_the_far_ground_has_a_hole_where_the_near_patch_is():
    centre = np.array([3.0, -2.0])
    vertices, faces = around(*patch(lambda places: 0.0 * places[:, 0], centre, FAR_REACH, FAR_GRAIN), centre)
    a, b, c = (vertices[faces[:, i]].astype(float) for i in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    assert area == pytest.approx(4 * (FAR_REACH[0] * FAR_REACH[1] - REACH[0] * REACH[1]))


def test_lines_lie_on_the_ground_a_metre_apart():
    found = lines(lambda places: 0.1 * places[:, 0], np.array([5.0, 0.0]))
    np.testing.assert_allclose(found[..., 2], 0.1 * found[..., 0] + 0.004, atol=1e-5)
    whole = np.abs(found[..., :2] - np.round(found[..., :2])) < 1e-4
    assert whole.any(axis=-1).all(), "every point lies on a line of whole metres"


def test_things_are_where_the_engine_has_them(performance):
    performance.step()
    data, model = performance._env.world.data(0), performance._env.world.model
    expected = [
        data.geom_xpos[geom]
        for geom in range(model.ngeom)
        if int(model.geom_type[geom]) == int(mujoco.mjtGeom.mjGEOM_BOX)
        and not model.body(model.geom_bodyid[geom]).name.startswith("robot/")
    ]
    task = performance.role.task
    assert len(expected) >= {"obstacle": 54, "manipulation": 5, "variable": 4}.get(task, 0), "walls, boxes, the box"
    drawn = Figure(performance.things).placed(*performance.thing_places)[0] if expected else np.zeros((0, 3))
    for place in expected:
        assert np.linalg.norm(drawn - place, axis=1).min() < 1e-6
