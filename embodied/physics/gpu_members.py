"""A GPU World of several bodies: models that differ in numbers alone, each compiled by MuJoCo on the host.

World w of W is of member w // (W / k). What the host compiled is copied and stays as it is: nothing is derived on the
device, whose own derivation of inertias and weights knows neither shapes nor densities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mujoco
import numpy as np
import torch
import warp as wp
from torch import Tensor

from embodied.physics.gpu import GpuWorld, _flat
from embodied.physics.gpu_parameters import moves_static_geoms
from embodied.physics.world import SceneModel


class MembersWorld(GpuWorld):
    """A `GpuWorld` whose worlds are of k members. ``parameters`` are those that the task varies, as ever."""

    def __init__(
        self,
        scene: SceneModel,
        fields: Mapping[str, np.ndarray],
        starts: np.ndarray,
        num_worlds: int,
        varying: Sequence[str] = (),
        device: str = "cuda",
        contacts: int | None = None,
        constraints: int | None = None,
    ) -> None:
        """Makes the worlds, each in its member's default state.

        Args:
            scene: gives the model that all members share.
            fields: model fields in which members differ, (k, …) each.
            starts: (k, n) full default states, columns as in MuJoCo's own state vector.
            num_worlds: W, a multiple of k.
            varying: other model fields, which the task gives values per world.
            device, contacts, constraints: see `GpuWorld`.

        Raises:
            ValueError: worlds that cannot be shared out evenly, or a field that both members and task give values.
        """
        if not len(starts) or num_worlds % len(starts):
            raise ValueError(f"{num_worlds} worlds cannot be shared out evenly among {len(starts)} members")
        if both := [name for name in varying if name in fields]:
            raise ValueError(f"the task varies what its bodies differ in: {', '.join(both)}")
        self.members = len(starts)
        """k."""
        self._starts = starts
        super().__init__(scene, num_worlds, (*varying, *fields), device, contacts, constraints)
        own = {name: self.parameters.pop(name) for name in fields}
        self._own = [(values, self._spread(fields[name], values)) for name, values in own.items()]
        self._own_names = list(own)
        if not moves_static_geoms(varying):
            # What never moves is alike in all members, so it stays where the engine placed it.
            self._still = wp.zeros(0, dtype=int, device=self._there)
        self._write_members()
        self._graphs.forget()
        self.reset()
        self._graphs.run("derive", self._derive)

    def _spread(self, rows: np.ndarray, like: Tensor) -> Tensor:
        """(W, …) Rows (k, …) of the members, for all of their worlds."""
        member = torch.from_numpy(np.ascontiguousarray(rows)).to(like.device, like.dtype)
        return member.repeat_interleave(self.num_worlds // self.members, dim=0).reshape(like.shape)

    def _write_members(self) -> None:
        for values, rows in self._own:
            values.copy_(rows)

    def _default_rows(self, scene: SceneModel) -> list[tuple[Any, Any]]:
        """Per state field the members' defaults, (k, …), and the field as (W, n) numbers."""
        rows, start = [], 0
        for name in self._state_fields():
            values = _flat(getattr(self._data, name), self.num_worlds)
            part = np.ascontiguousarray(self._starts[:, start : start + values.shape[1]])
            rows.append((wp.array(part, dtype=values.dtype), values))
            start += values.shape[1]
        if start != self._starts.shape[1]:
            raise ValueError(f"default states have {self._starts.shape[1]} numbers; this World's have {start}")
        return rows

    def refresh_constants(self, mask: Tensor | None = None) -> None:
        """Recomputes what follows from the task's own parameters; what the host compiled comes back after it."""
        super().refresh_constants(mask)
        self._write_members()

    def data(self, world: int) -> mujoco.MjData:
        """A copy of one world as an MjData of the host; see `GpuWorld.data`."""
        varying = self.parameters
        self.parameters = {**varying, **{n: v for n, (v, _) in zip(self._own_names, self._own, strict=True)}}
        try:
            return super().data(world)
        finally:
            self.parameters = varying

    def close(self) -> None:
        """Frees what the device holds; closing twice does nothing."""
        self._own = []
        super().close()
