"""Bodies that the tests write out, and the same torques on two of them."""

from functools import lru_cache

import mujoco
import numpy as np

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from morphologies import Body, body_from_genome, find_body, mutate, random_genome
from morphologies.fabricate import Fabrication, fabricate
from morphologies.read import read

SHIPPED = ("ant", "biped", "crab", "hound", "kangaroo", "tripod")
RANDOM, MUTATED, MUTATIONS = 10, 10, 5
NAMES = (*SHIPPED, *(f"random{n}" for n in range(RANDOM)), *(f"mutated{n}" for n in range(MUTATED)))


@lru_cache
def _bred() -> dict[str, Body]:
    rng = np.random.default_rng(7)
    genomes = {f"random{n}": random_genome(rng) for n in range(RANDOM)}
    for n in range(MUTATED):
        genome = random_genome(rng)
        for _ in range(MUTATIONS):
            genome = mutate(genome, rng).child
        genomes[f"mutated{n}"] = genome
    return {name: body_from_genome(genome, name) for name, genome in genomes.items()}


def body(name: str) -> Body:
    """One of `NAMES`, or any other that `find_body` knows."""
    return _bred()[name] if name in _bred() else find_body(name)


@lru_cache
def made(name: str) -> Fabrication:
    return fabricate(body(name))


def written(fabrication: Fabrication, folder):
    """The folder, with all files in it."""
    for path, content in fabrication.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def read_back(fabrication: Fabrication, folder, file: str) -> Body:
    """What our reader makes of a file of it."""
    return read(written(fabrication, folder) / file, trusted=True).body()


def apart(one: Body, two: Body, ground: bool = True, seconds: float = 2.0) -> tuple[float, float]:
    """The largest difference of joint positions, rad or m, under the same random torques, and how far joints moved."""
    models = [Scene(FlatArena(), {"robot": each}).model for each in (one, two)]
    data, places = [], []
    for model in models:
        if not ground:
            model.geom_contype[model.geom_bodyid == 0] = model.geom_conaffinity[model.geom_bodyid == 0] = 0
        data.append(mujoco.MjData(model))
        mujoco.mj_resetDataKeyframe(model, data[-1], 0)
        hinges = np.isin(model.jnt_type, (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE))
        places.append(model.jnt_qposadr[hinges])
    first, second = models
    assert first.nu == second.nu
    start = data[0].qpos[places[0]].copy()
    control = np.array(data[0].ctrl)
    scale = np.where(first.actuator_biastype == mujoco.mjtBias.mjBIAS_AFFINE, 0.3, 1.0)
    rng = np.random.default_rng(0)
    differs = moves = 0.0
    for step in range(round(seconds / first.opt.timestep)):
        if step % 4 == 0:
            torque = control + scale * rng.uniform(-1, 1, first.nu)
        for model, state in zip(models, data, strict=True):
            state.ctrl[:] = torque
            mujoco.mj_step(model, state)
        here, there = (state.qpos[where] for state, where in zip(data, places, strict=True))
        differs = max(differs, float(np.abs(here - there).max()))
        moves = max(moves, float(np.abs(here - start).max()))
    return differs, moves
