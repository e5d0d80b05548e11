"""A model to draw one world of many with: its own parameters, and only the height field that it stands on.

Drawing libraries take everything that a model carries to the graphics memory: a pool of sixteen fields of a million
samples would take 20 s and 2.5 GB of which one field is ever seen.
"""

from __future__ import annotations

import copy

import mujoco
import numpy as np

from embodied.physics.world import World

MOST_SAMPLES = 300_000
"""Of a field that is drawn as it is; of a larger one, every second sample is."""


class PictureModel:
    """A copy of a World's model that can be made to look like any of its worlds."""

    def __init__(self, world: World) -> None:
        """Copies the model; pools of height fields are empty until `follow` is called."""
        self._world = world
        self.model = copy.copy(world.model)
        fields = (self.model.geom_type == mujoco.mjtGeom.mjGEOM_HFIELD).any() and self.model.nhfield > 1
        self._ground = np.flatnonzero(self.model.geom_type == mujoco.mjtGeom.mjGEOM_HFIELD) if fields else np.zeros(0)
        self._shown: set[int] = set()
        if fields:
            self.model.hfield_nrow[:] = 2
            self.model.hfield_ncol[:] = 2

    def follow(self, world: int) -> list[int]:
        """Takes over one world's parameters; returns the height fields whose looks have changed."""
        for name, values in self._world.parameters.items():
            getattr(self.model, name)[:] = values[world].cpu().numpy()
        if not len(self._ground):
            return []
        needed = {int(self.model.geom_dataid[geom]) for geom in self._ground}
        changed = needed ^ self._shown
        for field in self._shown - needed:
            self.model.hfield_nrow[field] = self.model.hfield_ncol[field] = 2
        for field in needed - self._shown:
            self._show(field)
        self._shown = needed
        return sorted(changed)

    def _show(self, field: int) -> None:
        source = self._world.model
        rows, columns = int(source.hfield_nrow[field]), int(source.hfield_ncol[field])
        start = int(source.hfield_adr[field])
        heights = source.hfield_data[start : start + rows * columns].reshape(rows, columns)
        if heights.size > MOST_SAMPLES and rows % 2 == columns % 2 == 1:
            heights = heights[::2, ::2]
        self.model.hfield_nrow[field], self.model.hfield_ncol[field] = heights.shape
        self.model.hfield_data[start : start + heights.size] = heights.ravel()
