"""Lifetimes that take no time, for the driver's sake; they come from another process and must be imported by it."""

import os
import signal
import time
from dataclasses import replace

from embodied.evolution.bucket_lifetimes import MemberFailed
from morphologies import fingerprint, from_json
from tests.evolution.short import outcome


def fitness_of(order):
    """The same for a body wherever it lives."""
    return float(int(fingerprint(from_json(order.genome)), 16) % 1000)


def live(order, line):
    """On a CPU worker."""
    order.folder.mkdir(parents=True, exist_ok=True)
    (order.folder / "where").write_text("cpu")
    line.began(0)
    return outcome(fitness_of(order))


def live_together(order, line):
    """On a device."""
    line.began(0)
    for member in order.members:
        member.folder.mkdir(parents=True, exist_ok=True)
        (member.folder / "where").write_text(f"{order.device} {order.id}")
    return [outcome(fitness_of(member)) for member in order.members]


def last_member_fails(order, line):
    """On a device, where the last body's losses are not finite."""
    return [*live_together(order, line)[:-1], MemberFailed("TrainingDiverged: losses are not finite", 128)]


def buckets_crash(order, line):
    """A device on which no two bodies live together."""
    if len(order.members) > 1:
        raise RuntimeError("out of memory")
    return live_together(order, line)


def second_in_a_process_fails(order, line):
    """A device that is of no more use to a process in which something went wrong."""
    spoiled = order.folder.parent / str(os.getpid())
    if spoiled.exists() or not order.members:
        spoiled.touch()
        raise RuntimeError("an illegal memory access was encountered")
    return []


def warned(order, line):
    """On a device that has had too little room for contacts."""
    room = {"warning/contactfull": 1200.0, "warning/ls_iterations": 7.0}
    return [replace(end, measures={**end.measures, **room}) for end in live_together(order, line)]


def killed_once(order, line):
    """The worker is killed in its first bucket."""
    mark = order.members[0].folder.parent / "killed"
    if not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text("")
        line.began(0)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
    return live_together(order, line)
