"""What can go wrong in a world of a GPU World: noted on the GPU, counted there, and read when someone asks.

The engine keeps a bit mask per world of buffers that were too small, and never looks whether numbers are numbers; the
first is taken over, the second is looked after here, before and after each step.
"""

from __future__ import annotations

from typing import Any

import mujoco_warp as mjw
import torch
import warp as wp
from torch import Tensor

from embodied.physics import gpu_kernels as kernels

_TOO_SMALL = {
    mjw.OverflowType.NEFC: "cnstrfull",
    mjw.OverflowType.NJMAX_NNZ: "jacobianfull",
    mjw.OverflowType.BROADPHASE: "pairsfull",
    mjw.OverflowType.NARROWPHASE: "contactfull",
    mjw.OverflowType.CCD: "convexfull",
    mjw.OverflowType.HFIELD: "hfieldfull",
    mjw.OverflowType.CONTACT_MATCH: "contactsensorfull",
    mjw.OverflowType.NVMAX: "awakefull",
    mjw.OverflowType.EPA_HORIZON: "depthfull",
    mjw.OverflowType.TACTILE: "tactilefull",
}
_UNCONVERGED = {mjw.OverflowType.ITERATIONS: "iterations", mjw.OverflowType.LS_ITERATIONS: "ls_iterations"}
_BROKEN = {
    int(kernels.BAD_POSITION): "badqpos",
    int(kernels.BAD_VELOCITY): "badqvel",
    int(kernels.BAD_ACCELERATION): "badqacc",
    int(kernels.BAD_SENSOR): "badsensor",
    int(kernels.BAD_CONTROL): "badctrl",
}
_MENDED = {int(kernels.FALSE_CONTACT): "falsecontact"}
_KINDS = {
    "buffers_overrun": _TOO_SMALL,
    "solver_stopped": _UNCONVERGED,
    "worlds_broken": _BROKEN,
    "contacts_undone": _MENDED,
}
NAMES = {int(bit).bit_length() - 1: name for bit, name in {**_TOO_SMALL, **_UNCONVERGED, **_BROKEN, **_MENDED}.items()}
"""Name of each warning by its bit; those that the CPU has too are called the same."""
HARMFUL = sum(int(bit) for bit in (*_TOO_SMALL, *_BROKEN))
"""Marks that make a world unhealthy: all but a solver that stopped at its limit of iterations, and contacts that could
not be and were undone."""


class Health:
    """The marks and counters of W worlds, counted apart for each of their k members."""

    def __init__(self, num_worlds: int, device: torch.device, members: int = 1) -> None:
        """Starts with healthy worlds; Warp's current device is where they are."""
        self._worlds = num_worlds
        self.marks = wp.zeros(num_worlds, dtype=int)
        self.counts = wp.zeros((members, max(NAMES) + 1), dtype=wp.int64)
        self.counted = wp.to_torch(self.counts)
        """(k, bits) int64: what the counters are at, live; whoever takes up an old World's work writes them."""
        self._counted = {
            kind: [self.counted[:, int(bit).bit_length() - 1] for bit in bits] for kind, bits in _KINDS.items()
        }
        self._unhealthy = torch.zeros(num_worlds, dtype=torch.bool, device=device)
        self._broken = torch.zeros_like(self._unhealthy)
        self.broken: Any = wp.from_torch(self._broken)
        """Worlds whose state is of no more use, as Warp sees them."""
        self._unhealthy_there: Any = wp.from_torch(self._unhealthy)

    def begin(self, data: mjw.Data) -> None:
        """Starts a step: forgets the last one's troubles and looks at what the worlds are given."""
        wp.launch(kernels.judge_before, self._worlds, [data.qpos, data.qvel, data.ctrl], [self.marks])
        data.overflow.zero_()

    def end(self, data: mjw.Data) -> None:
        """Ends a step: notes and counts what went wrong."""
        wp.launch(
            kernels.judge_after,
            self._worlds,
            [data.qpos, data.qvel, data.qacc, data.sensordata, data.overflow, HARMFUL],
            [self.marks, self.counts, self._unhealthy_there, self.broken],
        )

    def sieve_contacts(self, held: mjw.Model, data: mjw.Data) -> None:
        """Undoes contacts with height fields that cannot be; the engine calls it when it has found all contacts."""
        contact = data.contact
        wp.launch(
            kernels.drop_false_contacts,
            data.naconmax,
            [
                *(held.geom_type, held.geom_dataid, held.hfield_size, held.hfield_nrow, held.hfield_ncol),
                *(held.hfield_adr, held.hfield_data, data.geom_xpos, data.geom_xmat, data.nacon),
                *(contact.geom, contact.worldid, contact.pos, contact.frame),
            ],
            [contact.dist, self.marks],
        )

    def unhealthy(self) -> Tensor:
        """(W,) bool, a copy: worlds that the last step harmed."""
        return self._unhealthy.clone()

    def counters(self) -> dict[str, Tensor]:
        """How many worlds met each kind of trouble, step by step, () each, on the device.

        ``buffers_overrun``: some contacts or constraints were left out; ``solver_stopped``: at its limit of iterations;
        ``worlds_broken``: a state or control that is no number, or beyond all measure; ``contacts_undone``: with height
        fields, because they could not be.
        """
        return {kind: torch.stack(counts).sum() for kind, counts in self._counted.items()}

    def warnings(self) -> list[dict[str, int]]:
        """How many worlds of each member met each trouble, step by step; waits for the GPU."""
        return [{name: counts[bit] for bit, name in NAMES.items() if counts[bit]} for counts in self.counted.tolist()]
