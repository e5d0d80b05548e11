import time

import mujoco
import pytest

from embodied.physics.cpu import CpuWorld
from embodied.physics.engine_clock import start_engine_clock, stop_engine_clock
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from morphologies import find_body

STEP = mujoco.mjtTimer.mjTIMER_STEP


@pytest.fixture(autouse=True)
def _clock_stays_stopped():
    yield
    start_engine_clock()
    stop_engine_clock()


def timed() -> float:
    """What the engine's timer says after a step."""
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><body><freejoint/><geom size='1'/></body></worldbody></mujoco>"
    )
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data)
    return data.timer[STEP].duration


def test_a_stopped_clock_leaves_timers_at_zero_until_it_is_started():
    start_engine_clock()
    assert timed() > 0
    stop_engine_clock()
    assert timed() == 0
    stop_engine_clock()
    start_engine_clock()
    assert timed() > 0


def test_a_cpu_world_stops_the_clock():
    start_engine_clock()
    CpuWorld(Scene(FlatArena(), {"robot": find_body("ant")})).close()
    assert timed() == 0


def test_a_clock_of_ones_own_is_left_alone():
    mujoco.set_mjcb_time(time.perf_counter)
    stop_engine_clock()
    assert mujoco.get_mjcb_time() is time.perf_counter
    assert timed() > 0
