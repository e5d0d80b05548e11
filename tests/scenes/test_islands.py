import mujoco
import numpy as np
import pytest
from mujoco.batch import Batch

from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.tasks import find_task
from morphologies import find_body

ISLAND = int(mujoco.mjtDisableBit.mjDSBL_ISLAND)


@pytest.mark.parametrize("name", ["ant", "hound", "biped", "go1", "max"])
def test_without_islands_one_body_moves_the_same_to_the_last_bit(name):
    model = Scene(FlatArena(), {"robot": find_body(name)}).model
    assert model.opt.disableflags & ISLAND
    ends = []
    for flags in (model.opt.disableflags, model.opt.disableflags & ~ISLAND):
        model.opt.disableflags = flags
        batch = Batch(model, 4, 1)
        batch.bind("qpos")[:] = model.key_qpos[0]
        generator = np.random.default_rng(0)
        low, high = np.where(model.actuator_ctrllimited[:, None], model.actuator_ctrlrange, [[-1.0, 1.0]]).T
        for _ in range(100):
            batch.bind("ctrl")[:] = generator.uniform(low, high, (4, model.nu))
            batch.step(nstep=4)
        ends.append(batch.state.copy())
    np.testing.assert_array_equal(*ends)


def test_where_several_things_move_islands_stay():
    task = find_task("manipulate_ball")
    model = task.scene({"robot": find_body("ant")}).model
    assert model.ntree == 2
    assert not model.opt.disableflags & ISLAND
