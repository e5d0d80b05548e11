"""The engine's stop-watch: some thirty readings in every physics step, a fifteenth of its time, which nobody asks for.

MuJoCo's Python package gives the engine a clock when it is imported, which fills ``MjData.timer``. The package can put
another function in its place but not take it away; through the engine's own C variable it goes.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import mujoco


def stop_engine_clock() -> None:
    """Takes the clock away in this process; one that somebody else has set stays, and so it does where it is not found.

    Timers stay at 0 from now on. What is simulated is the same bit for bit.
    """
    clock = _clock()
    if clock is not None and mujoco.get_mjcb_time() is None and clock.value:
        clock.value = None


def start_engine_clock() -> None:
    """Gives the package's clock back: seconds, in ``MjData.timer``."""
    mujoco.set_mjcb_time(None)  # None stands for the package's own


@cache
def _clock() -> ctypes.c_void_p | None:
    """The engine's variable that points at its clock; None where the library is not where it is known to lie."""
    folder = Path(mujoco.__file__).parent
    for pattern in ("libmujoco.so*", "libmujoco*.dylib", "mujoco.dll"):
        for library in folder.glob(pattern):
            try:
                return ctypes.c_void_p.in_dll(ctypes.CDLL(str(library)), "mjcb_time")
            except (OSError, ValueError):
                continue
    return None
