"""Quaternions against scipy's rotations, whose order is x, y, z, w."""

from __future__ import annotations

import numpy as np
import pytest

from embodied.motion import quaternions as q

scipy = pytest.importorskip("scipy.spatial.transform", reason="scipy is the peer here")
Rotation = scipy.Rotation


@pytest.fixture
def pair():
    return Rotation.random(50, rng=np.random.default_rng(0)), Rotation.random(50, rng=np.random.default_rng(1))


def same(ours, theirs) -> bool:
    return bool(np.allclose(np.abs((ours * q.from_xyzw(theirs.as_quat())).sum(-1)), 1.0, atol=1e-12))


def test_products_inverses_and_turned_vectors(pair):
    a, b = pair
    ours_a, ours_b = q.from_xyzw(a.as_quat()), q.from_xyzw(b.as_quat())
    vectors = np.random.default_rng(2).normal(size=(50, 3))
    assert same(q.multiply(ours_a, ours_b), a * b)
    assert same(q.conjugate(ours_a), a.inv())
    assert np.allclose(q.rotate(ours_a, vectors), a.apply(vectors), atol=1e-12)
    assert np.array_equal(q.to_xyzw(ours_a), a.as_quat())


def test_rotation_vectors_there_and_back(pair):
    a, _ = pair
    assert np.allclose(q.rotation_vector(q.from_xyzw(a.as_quat())), a.as_rotvec(), atol=1e-12)
    assert np.allclose(q.rotation_vector(-q.from_xyzw(a.as_quat())), a.as_rotvec(), atol=1e-12)
    assert same(q.from_rotation_vector(a.as_rotvec()), a)
    tiny = np.array((1e-14, 0.0, -2e-14))
    assert np.allclose(q.rotation_vector(q.from_rotation_vector(tiny)), tiny, rtol=1e-6)


def test_slerp_and_yaw(pair):
    a, b = pair
    between = scipy.Slerp([0.0, 1.0], Rotation.concatenate([a[0], b[0]]))(0.3)
    assert same(q.slerp(q.from_xyzw(a[0].as_quat()), q.from_xyzw(b[0].as_quat()), 0.3), between)
    assert np.allclose(q.yaw_of(q.from_xyzw(a.as_quat())), a.as_euler("ZYX")[:, 0], atol=1e-12)
    assert np.allclose(q.yaw_of(q.from_yaw(np.linspace(-3, 3, 7))), np.linspace(-3, 3, 7))


def test_flipped_signs_are_found_and_undone(pair):
    turning = q.from_rotation_vector(np.linspace(0.0, 9.0, 40)[:, None] * (0.6, 0.0, 0.8))
    flipped = turning * np.where(np.isin(np.arange(40), (5, 6, 20)), -1.0, 1.0)[:, None]
    assert np.flatnonzero(q.sign_flips(flipped)).tolist() == [4, 6, 19, 20]
    assert np.array_equal(q.hemisphere_continuous(flipped), turning)
