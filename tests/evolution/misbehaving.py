"""Lifetimes that go wrong in the ways real ones do; run in real worker processes."""

import ctypes
import os
import signal
import time

import numpy as np

from embodied.evolution.lifetimes import live

SEGFAULT, HANG, GROW, EXIT, ERROR, KILLED = range(1, 7)
"""Lifetimes by number; every other one lives as it should."""


def misbehave(order, line):
    """A lifetime whose number says what becomes of it."""
    if order.id == SEGFAULT:
        line.began(0)
        ctypes.string_at(0)
    elif order.id == HANG:
        line.began(0)
        line.advanced(128, None)
        time.sleep(3600)
    elif order.id == GROW:
        line.began(0)
        hoard = []
        while True:
            hoard.append(np.ones(2**24 // 8))  # 16 MiB
            line.advanced(len(hoard), None)
            time.sleep(0.005)
    elif order.id == EXIT:
        os._exit(7)
    elif order.id == ERROR:
        raise ArithmeticError("exploded")
    elif order.id == KILLED:
        line.began(0)
        os.kill(os.getpid(), signal.SIGKILL)
    return live(order, line)
