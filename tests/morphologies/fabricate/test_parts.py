"""The parts list: what it says of a body is what one computes by hand."""

import json

import numpy as np
import pytest

from morphologies import find_body
from tests.morphologies.fabricate.bodies import body, made


def test_a_limb_weighs_and_measures_what_its_genome_says():
    parts, genome = made("ant").parts, body("ant").genome
    upper = next(link for link in parts.links if link.name == "limb_0")
    thigh = genome.limbs[0]
    length, radius = thigh.height + 0.05, 0.05
    volume = np.pi * radius**2 * length + 4 / 3 * np.pi * radius**3
    assert upper.mass == pytest.approx(genome.limb_density * volume, rel=1e-9)
    assert upper.volume == pytest.approx(volume, rel=0.005)
    direction = np.array([np.cos(np.deg2rad(thigh.theta)), np.sin(np.deg2rad(thigh.theta)), 0.0])
    assert upper.size == pytest.approx(2 * radius + length * direction, abs=1e-4)
    assert upper.centre_of_mass == pytest.approx((radius + length / 2) * direction, abs=1e-9)
    assert parts.mass == pytest.approx(find_body("ant").description.mass)


def test_joints_and_motors_are_those_of_the_genome():
    parts, genome = made("ant").parts, body("ant").genome
    first, second = parts.joints[:2]
    hinges = genome.limbs[0].hinges
    assert np.rad2deg(first.range) == pytest.approx(hinges[0].range)
    assert np.rad2deg(second.range) == pytest.approx(hinges[1].range)
    assert (first.parent, first.child) == ("torso_0", "limb_0_carrier")
    assert (second.parent, second.child) == ("limb_0_carrier", "limb_0")
    assert first.position == second.position == pytest.approx((0.05 / 2**0.5, 0.05 / 2**0.5, 0.0))
    assert [motor.torque for motor in parts.motors][:2] == [hinges[0].gear, hinges[1].gear]
    assert {link.parent for link in parts.links if link.name == "limb_0"} == {"torso_0"}, "carriers are no parts"


def test_programs_and_people_read_the_same():
    files = made("max").files
    listed = json.loads(files["parts.json"])
    page = files["parts.md"].decode()
    assert (listed["format"], listed["version"], listed["name"]) == ("embodied.body", 1, "max")
    assert set(listed["files"]) == set(files)
    assert sum(link["mass"] for link in listed["links"]) == pytest.approx(listed["mass"])
    for row in (*listed["links"], *listed["joints"]):
        assert f"| {row['name']} |" in page
    calf = next(joint for joint in listed["joints"] if joint["name"] == "FR_calf_joint")
    assert (calf["max_speed"], calf["default"]) == (33, 1.5)
    motor = next(motor for motor in listed["motors"] if motor["joint"] == "FR_calf_joint")
    assert (motor["kind"], motor["kp"], motor["kv"], motor["torque"]) == ("position", 50, 0.5, 18)
