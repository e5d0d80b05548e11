"""Rotations and reward terms of tracking, against closed forms and the motion room's own formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from embodied.motion import quaternions
from embodied.skills.tracking_errors import (
    Errors,
    TrackingRewards,
    conjugate_product,
    reward_terms,
    rotation_vector,
    turn_between,
)


def orientations(count: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(count, 4))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_rotations_between_orientations_are_those_of_the_motion_room():
    one, other = orientations(50, 0), orientations(50, 1)
    expected = quaternions.multiply(quaternions.conjugate(one), other)
    np.testing.assert_allclose(conjugate_product(one, other), expected, atol=1e-15)
    np.testing.assert_allclose(rotation_vector(expected), quaternions.rotation_vector(expected), atol=1e-12)
    np.testing.assert_allclose(turn_between(one, other), np.linalg.norm(rotation_vector(expected), axis=1), atol=1e-12)


def test_rotations_are_the_same_in_torch_and_finite_where_there_is_none():
    one = orientations(5, 2)
    given = torch.from_numpy(one)
    still = rotation_vector(conjugate_product(given, -given))
    assert float(still.abs().max()) < 1e-7
    expected = rotation_vector(conjugate_product(one, one[::-1]))
    np.testing.assert_allclose(rotation_vector(conjugate_product(given, given.flip(0))).numpy(), expected, atol=1e-12)


def test_terms_are_the_weights_without_errors_and_fall_as_the_reference_has_it():
    none = np.zeros(1)
    rewards = TrackingRewards()
    perfect = reward_terms(Errors(none, none, none, none, none, none, none, none), rewards)
    assert {name: float(term[0]) for name, term in perfect.items()} == {
        "joint_pos": 0.30,
        "joint_vel": 0.05,
        "feet": 0.10,
        "root_pose": 0.50,
        "root_velocity": 0.05,
    }
    assert rewards.best == pytest.approx(1.0)
    a = np.full(1, 0.09)
    off = reward_terms(
        Errors(
            joint_pos=a, joint_mean=a, joint_vel=a, feet=a, root_pos=a, root_turn=np.full(1, 0.3), linear=a, angular=a
        ),
        rewards,
    )
    assert float(off["joint_pos"][0]) == pytest.approx(0.30 * math.exp(-0.09))
    assert float(off["joint_vel"][0]) == pytest.approx(0.05 * math.exp(-0.1 * 0.09))
    assert float(off["feet"][0]) == pytest.approx(0.10 * math.exp(-40 * 0.09))
    assert float(off["root_pose"][0]) == pytest.approx(0.50 * math.exp(-20 * 0.09 - 10 * 0.09))
    assert float(off["root_velocity"][0]) == pytest.approx(0.05 * math.exp(-2.2 * 0.09))
