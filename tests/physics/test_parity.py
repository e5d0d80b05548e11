"""Both Worlds beside each other: from every state of 50 control steps of play, one control step on either.

On a plane both make the same contacts, and agree to the tolerances below in every state. On a height field MuJoCo Warp
keeps four contacts of a geom at most, so there one substep is compared: where both make as many contacts, many of the
states, 98 of 100 agree to ten times the tolerances; elsewhere bodies must not be thrown. The cone is elliptic: pyramids
are turned another way by the two engines under a steep capsule.
"""

import numpy as np
import pytest
import torch

from embodied.physics.cpu import CpuWorld
from embodied.physics.gpu import GpuWorld
from embodied.scenes.arenas.bowl import BowlArena
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.arenas.incline import InclineArena
from embodied.scenes.arenas.legged import KINDS, LeggedArena
from embodied.scenes.arenas.obstacles import ObstacleArena
from embodied.scenes.arenas.variable import VariableArena
from morphologies import body_from_genome, body_names, find_body, limb_count, mutate, random_genome
from tests.physics.gpu_worlds import DEVICE, controls, elliptic

WORLDS = 4
STEPS = 50
SUBSTEPS = 4
SETTLE = 40
"""Control steps of play before the first comparison: bodies have fallen and touch the ground."""

TOLERANCE = {  # absolute, and relative to the largest value of the field in that world
    "qpos": (2e-5, 1e-6),  # m, rad
    "qvel": (1e-3, 5e-5),  # m/s, rad/s
    "xpos": (1e-5, 1e-6),  # m
    "xquat": (2e-5, 0.0),
    "cvel": (1e-3, 5e-5),  # m/s, rad/s
    "sensordata": (0.5, 1e-3),  # N, m/s², rad/s: touch forces are the coarsest
    "qacc": (5e-2, 1e-3),  # m/s², rad/s²
    "qfrc_actuator": (1e-4, 1e-4),  # N, N m
}
"""What was found: a tenth of it or less, for all but the touch sensors and a Go1's joint angles, a third."""
FREE = 10
"""Control steps that both then go on alone, apart by no more than `APART` in any position at their end."""
APART = 1e-3
ON_FIELDS = 10
"""Times the tolerance on height fields, where single precision makes shallow contacts of another depth and slope."""
ALIKE_ON_FIELDS = 0.4
"""Part of the states on a height field, at least, in which both make as many contacts."""
COARSER = {"dog": 100}
"""Bodies and how many times the tolerance: the dog stands on some twenty contacts and has joints of a few grams."""


def ten_limbs():
    """A body with ten limbs, mirrored from its head on."""
    rng = np.random.default_rng(39)
    genome = random_genome(rng)
    while limb_count(genome) < 10:
        genome = mutate(genome, rng).child
    assert limb_count(genome) == 10
    assert sum(limb.mirrored for limb in genome.limbs) == 2
    return body_from_genome(genome)


def pair(scene, device=DEVICE):
    return GpuWorld(scene, WORLDS, scene.varying, device), CpuWorld(scene, WORLDS, scene.varying, threads=1)


def play(world, actions):
    for action in actions:
        world.field("ctrl").copy_(action)
        world.step(SUBSTEPS)


def errors(there, here, name):
    """(W,) Largest difference in a field, in units of its tolerance."""
    value, expected = (world.field(name).double().cpu().reshape(WORLDS, -1) for world in (there, here))
    absolute, relative = TOLERANCE[name]
    allowed = absolute + relative * expected.abs().amax(dim=1)
    return (value - expected).abs().amax(dim=1) / allowed


def contacts(there):
    """(W,) How many contacts each world of the GPU World had in its last substep."""
    found = int(there._data.nacon.numpy()[0])
    owners, distance = there._data.contact.worldid.numpy()[:found], there._data.contact.dist.numpy()[:found]
    return torch.from_numpy(np.bincount(owners[distance < 0.1], minlength=WORLDS))


def agree_on_level_ground(scene, times=1, device=DEVICE):
    there, here = pair(scene, device)
    touched = here.field("ncon")
    for name in TOLERANCE:
        there.field(name), here.field(name)
    play(here, controls(SETTLE, WORLDS, 0, scene))
    met = 0
    for step, action in enumerate(controls(STEPS, WORLDS, 1, scene)):
        there.set_state(here.state())
        for world in (there, here):
            play(world, action[None])
        worst = {name: float(errors(there, here, name).max()) for name in TOLERANCE}
        assert max(worst.values()) < times, f"control step {step}: {worst}"
        assert not there.unhealthy.any()
        met += int((touched > 0).sum())
    assert met > WORLDS * STEPS / 4, "the bodies hardly touched the ground"
    assert there.warnings.keys() <= {"ls_iterations"}
    there.set_state(here.state())
    for action in controls(FREE, WORLDS, 2, scene):
        for world in (there, here):
            play(world, action[None])
    assert float((there.field("qpos").double().cpu() - here.field("qpos")).abs().max()) < times * APART


def agree_on_height_fields(arena, body, places, fields, device=DEVICE):
    """Places: (W, 2) where the body is dropped. Fields: which of the pool each world stands on."""
    scene = elliptic(arena, body)
    there, here = pair(scene, device)
    ground = scene.model.geom("ground").id
    for world in (there, here):
        world.parameters["geom_dataid"][:, ground] = torch.tensor(fields)
    before = here.field("ncon")
    for name in TOLERANCE:
        there.field(name), here.field(name)
    around = torch.cartesian_prod(*[torch.linspace(-0.7, 0.7, 15, dtype=torch.float64)] * 2)
    highest = arena.ground(here).height(places[:, None] + around).amax(dim=1)
    here.field("qpos")[:, :2] = places
    here.field("qpos")[:, 2] += highest + 0.1
    play(here, controls(SETTLE + 30, WORLDS, 0, scene))
    alike, agreed, touching, worst = [], [], [], 0.0
    for action in controls(STEPS, WORLDS, 1, scene):
        there.set_state(here.state())
        expected = before.clone()
        for world in (there, here):
            world.field("ctrl").copy_(action)
            world.step(1)
        assert not there.unhealthy.any()
        same = contacts(there) == expected
        agreed.append(same & (torch.stack([errors(there, here, name) for name in TOLERANCE]) < ON_FIELDS).all(dim=0))
        apart = (there.field("qvel").double().cpu() - here.field("qvel")).abs().amax(dim=1)
        worst = max(worst, float(apart.max()))
        alike.append(same)
        touching.append(same & (expected > 0))
        here.step(SUBSTEPS - 1)
    assert torch.stack(alike).double().mean() >= ALIKE_ON_FIELDS
    assert torch.stack(agreed).sum() >= 0.98 * torch.stack(alike).sum()
    assert torch.stack(touching).sum() > WORLDS * STEPS / 8, "the bodies hardly touched the ground"
    assert worst < 5.0, "m/s or rad/s, after one substep with fewer contacts"


def test_ant():
    agree_on_level_ground(elliptic(FlatArena(), find_body("ant")))


def test_mirrored_body_with_ten_limbs():
    agree_on_level_ground(elliptic(FlatArena(), ten_limbs()))


def test_go1():
    agree_on_level_ground(elliptic(FlatArena(), find_body("go1")))


def test_ant_on_rough_ground():
    arena = LeggedArena(kinds=("rough",), levels=2, size=6.0, cell=0.1, border=2.0)
    places = torch.from_numpy(np.random.default_rng(0).uniform(-2, 2, (WORLDS, 2)))
    agree_on_height_fields(arena, find_body("ant"), places, [1] * WORLDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", body_names())
def test_every_named_body(name):
    agree_on_level_ground(elliptic(FlatArena(), find_body(name)), COARSER.get(name, 1))


@pytest.mark.slow
@pytest.mark.parametrize("arena", [InclineArena(), ObstacleArena()], ids=lambda arena: type(arena).__name__)
def test_arenas_of_plain_shapes(arena):
    agree_on_level_ground(elliptic(arena, find_body("ant")))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_legged_ground(kind):
    arena = LeggedArena(kinds=(kind,), levels=2, size=8.0, border=2.0)
    places = torch.from_numpy(np.random.default_rng(0).uniform(-3, 3, (WORLDS, 2)))
    agree_on_height_fields(arena, find_body("ant"), places, [1] * WORLDS)


@pytest.mark.slow
@pytest.mark.parametrize("arena", [VariableArena(count=4), BowlArena(count=4)], ids=lambda arena: type(arena).__name__)
def test_every_arena_with_a_pool(arena):
    places = torch.from_numpy(np.random.default_rng(0).uniform(-3, 3, (WORLDS, 2)))
    if isinstance(arena, VariableArena):
        places[:, 0] += 20.0
    agree_on_height_fields(arena, find_body("ant"), places, list(range(WORLDS)))
