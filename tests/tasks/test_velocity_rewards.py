"""The terms of the velocity task's reward against numbers worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from embodied.tasks.velocity_rewards import SWING, TILT_LEVEL, TILT_UNEVEN, Motion, reward_terms

STILL = Motion(
    asked=np.zeros((1, 3)),
    linear=np.zeros((1, 3)),
    angular=np.zeros((1, 3)),
    gravity=np.array([[0.0, 0.0, -1.0]]),
    joint_torque=np.zeros((1, 2)),
    joint_acceleration=np.zeros((1, 2)),
    action_change=np.zeros((1, 2)),
    beyond_limits=np.zeros((1, 2)),
    other_contacts=np.zeros(1),
    landed_after=np.full((1, 4), SWING),
)
"""Standing still, as told."""


def terms(dt=0.02, mass=12.0, tilt=TILT_LEVEL, **changed):
    motion = replace(STILL, **{name: np.array([value]) for name, value in changed.items()})
    return {name: float(value[0]) for name, value in reward_terms(motion, dt, mass, tilt).items()}


def test_standing_still_when_told_to_earns_the_tracking_terms_alone():
    found = terms()
    assert found.pop("tracking_linear") == pytest.approx(0.02)
    assert found.pop("tracking_angular") == pytest.approx(0.01)
    assert set(found.values()) == {0.0}


@pytest.mark.parametrize(
    ("name", "changed", "per_second"),
    [
        # 0.3 and 0.4 m/s off: 0.25 m²/s² over 0.25.
        ("tracking_linear", {"asked": [1.0, 0.0, 0.0], "linear": [0.7, 0.4, 0.0]}, math.exp(-1.0)),
        # Vertical speed is no part of the tracking.
        ("tracking_linear", {"linear": [0.0, 0.0, 3.0]}, 1.0),
        ("tracking_angular", {"asked": [0.0, 0.0, -1.0], "angular": [5.0, 5.0, -0.5]}, 0.5 * math.exp(-1.0)),
        ("vertical", {"linear": [9.0, 9.0, -0.5]}, -2.0 * 0.25),
        ("roll_pitch", {"angular": [3.0, -4.0, 9.0]}, -0.05 * 25.0),
        # Leaning by 30°: the horizontal part of gravity's direction is a half.
        ("tilt", {"gravity": [0.0, -0.5, -math.cos(math.pi / 6)]}, -2.5 * 0.25),
        ("torque", {"joint_torque": [10.0, -20.0]}, -2e-4 * 500.0),
        ("acceleration", {"joint_acceleration": [300.0, -400.0]}, -2.5e-7 * 250_000.0),
        ("action_rate", {"action_change": [1.0, -2.0]}, -0.01 * 5.0),
        ("limits", {"beyond_limits": [0.1, 0.02]}, -10.0 * 0.12),
        ("contact", {"other_contacts": 3.0}, -3.0),
        # Landings after 0.7 and 0.2 s when told to walk: (0.2 - 0.3) of a quarter.
        ("air_time", {"asked": [0.5, 0.0, 0.0], "landed_after": [0.7, 0.2, SWING, SWING]}, 0.25 * -0.1),
        ("air_time", {"asked": [0.0, 0.0, 0.5], "landed_after": [0.7, SWING, SWING, SWING]}, 0.25 * 0.2),
        ("air_time", {"asked": [0.05, 0.05, 0.05], "landed_after": [0.7, 0.2, SWING, SWING]}, 0.0),
    ],
)
def test_each_term_by_hand(name, changed, per_second):
    assert terms(**changed)[name] == pytest.approx(0.02 * per_second)


def test_a_step_is_never_worth_less_than_nothing():
    found = terms(other_contacts=4.0, linear=[0.0, 0.0, 1.0])  # 1.5 earned, 4 and 2 lost, a second
    assert found["floor"] == pytest.approx(0.02 * 4.5)
    assert sum(found.values()) == pytest.approx(0.0)
    assert terms(other_contacts=1.0)["floor"] == 0.0


def test_a_reward_is_a_rate_times_the_control_step():
    changed = {"linear": [0.3, 0.1, 0.2], "joint_torque": [5.0, 1.0], "other_contacts": 1.0}
    once, twice = terms(dt=0.01, **changed), terms(dt=0.02, **changed)
    assert twice == pytest.approx({name: 2.0 * value for name, value in once.items()})


def test_torques_count_in_proportion_to_a_bodys_mass():
    assert terms(mass=48.0, joint_torque=[40.0, 80.0])["torque"] == pytest.approx(
        terms(mass=12.0, joint_torque=[10.0, 20.0])["torque"]
    )


def test_uneven_ground_excuses_most_of_a_tilt():
    leaning = {"gravity": [math.sin(0.3), 0.0, -math.cos(0.3)]}
    assert terms(tilt=TILT_UNEVEN, **leaning)["tilt"] == pytest.approx(0.2 * terms(**leaning)["tilt"])
