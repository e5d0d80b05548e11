"""A pool of equally sized height fields in one model; which of them a world stands on is its ``geom_dataid``.

MuJoCo's facts this rests on: a height field's rows run along y and its columns along x; each cell is two triangles that
share the diagonal from its lowest to its highest corner in x and y; compiling stretches the data to [0, 1], so heights
are written after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import mujoco
import numpy as np

GEOM = "ground"
"""Name of the geom."""
GRAIN = 2.0**-20
"""Heights are multiples of this, m: about a micrometre. So the engine's single-precision copy of them is exact."""
LEVEL = "level"
"""Name of the plane at height 0 that serves as the level parts of fields which have nothing below them."""
SUNK = 0.25
"""How far level parts of fields lie below that plane, m: a contact with a plane costs a fraction of one with cells."""
MARGIN = 64
"""Samples that a padded field has beyond each edge; more than the reach of a height map."""
MOST_SAMPLES = 1 << 24
"""Of a field: beyond, single precision cannot count them, and lookups do."""
BLOCK = 8
"""Samples to a side of the blocks that level ground is looked for in."""
BASE = 1.0
"""Thickness of the solid ground below the lowest height, m."""
FRICTION = (0.7, 0.1, 0.1)
"""Sliding, torsional, rolling; DERL's default for all geoms."""


@dataclass(frozen=True)
class HeightFields:
    """K equally sized height fields, and how they lie in the world."""

    heights: np.ndarray
    """(K, rows, columns) float32, m; rows along y, columns along x. Kept to multiples of `GRAIN`."""
    cell: float
    """Between neighbouring samples, both ways, m."""
    x: float
    """World position of the samples of column 0, m."""
    y: float
    """World position of the samples of row 0, m."""
    difficulties: np.ndarray
    """(K,) 0 to 1; 0 where a kind has no difficulty."""
    kinds: tuple[str, ...]
    """(K,) What each is."""
    padded: np.ndarray = field(init=False, repr=False)
    """(K, rows + 2 MARGIN, columns + 2 MARGIN) The heights, those at the edges repeated: lookups around a place on the
    field need no clipping. ``heights`` is a view of it."""

    def __post_init__(self) -> None:
        heights = np.asarray(self.heights, dtype=np.float32)
        if heights.ndim != 3 or len(heights) == 0 or min(heights.shape[1:]) < 2:
            raise ValueError(f"heights are (fields, rows, columns), at least (1, 2, 2), not {heights.shape}")
        if (heights.shape[1] + 2 * MARGIN) * (heights.shape[2] + 2 * MARGIN) > MOST_SAMPLES:
            raise ValueError(f"a field has {MOST_SAMPLES:,} samples at most, margins included, not {heights.shape[1:]}")
        if not np.isfinite(heights).all():
            raise ValueError("heights are finite; these hold NaN or infinity")
        if np.ptp(heights) > 16:
            raise ValueError(f"heights of a pool span 16 m at most; these span {np.ptp(heights):.1f} m")
        difficulties = np.asarray(self.difficulties, dtype=np.float64)
        if difficulties.shape != (len(heights),) or len(self.kinds) != len(heights):
            raise ValueError(
                f"{len(heights)} fields have as many difficulties and kinds, not "
                f"{difficulties.shape} and {len(self.kinds)}"
            )
        kept = np.round(heights / np.float32(GRAIN)) * np.float32(GRAIN)
        padded = np.pad(kept, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)), mode="edge")
        padded.flags.writeable = False
        object.__setattr__(self, "padded", padded)
        object.__setattr__(self, "heights", padded[:, MARGIN:-MARGIN, MARGIN:-MARGIN])
        object.__setattr__(self, "difficulties", difficulties)

    def __len__(self) -> int:
        return len(self.heights)

    @property
    def size(self) -> tuple[float, float]:
        """Extents along x and y, m."""
        _, rows, columns = self.heights.shape
        return (columns - 1) * self.cell, (rows - 1) * self.cell

    @property
    def has_level(self) -> bool:
        """Whether a plane serves as the level parts: the lowest height is 0 and there is some of it."""
        return float(self.heights.min()) == 0.0 and bool((self.heights[0] == 0).any())

    @property
    def _lowest(self) -> float:
        return float(self.heights.min()) - (SUNK if self.has_level else 0.0)

    @property
    def _elevation(self) -> float:
        """The engine's heights are parts of this, m: a power of two, so that scaling rounds nothing."""
        span = float(self.heights.max()) - self._lowest
        return 2.0 ** max(math.ceil(math.log2(span)), -10) if span > 0 else 2.0**-10

    def uneven_within(self, fields: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(n,) bool: whether anything but height 0 may lie within the boxes around places in the padded fields.

        Args:
            fields: (n,) numbers of the fields.
            columns, rows: (k, n) places that a box is drawn around.
        """
        x0, x1 = (columns.min(axis=0) / BLOCK).astype(np.intp), (columns.max(axis=0) / BLOCK).astype(np.intp) + 1
        y0, y1 = (rows.min(axis=0) / BLOCK).astype(np.intp), (rows.max(axis=0) / BLOCK).astype(np.intp) + 1
        sums = self._uneven_blocks
        return sums[fields, y1, x1] - sums[fields, y0, x1] - sums[fields, y1, x0] + sums[fields, y0, x0] > 0

    @cached_property
    def _uneven_blocks(self) -> np.ndarray:
        """(K, m + 1, n + 1) How many of the blocks before one have a cell with a corner that is not at height 0."""
        uneven = self.padded != 0
        uneven[:, :-1] |= uneven[:, 1:]
        uneven[:, :, :-1] |= uneven[:, :, 1:]
        for axis in (1, 2):
            uneven = np.logical_or.reduceat(uneven, np.arange(0, uneven.shape[axis], BLOCK), axis=axis)
        sums = uneven.astype(np.int32).cumsum(axis=1).cumsum(axis=2)
        return np.pad(sums, ((0, 0), (1, 0), (1, 0)))

    def add_to(self, spec: mujoco.MjSpec, material: str = "", friction: tuple[float, float, float] = FRICTION) -> None:
        """Adds the fields as assets and one geom, named ``ground``, that shows the first of them.

        Other worlds show others by their ``geom_dataid``; all have the same size, as the geom's place is shared.
        Heights count only once `write` has put them into the compiled model. Where the lowest of them is 0, a plane
        named ``level`` joins the geom, and the ground is the higher of the two.
        """
        count, rows, columns = self.heights.shape
        length, width = self.size
        placeholder = np.zeros(rows * columns, dtype=np.float32)
        for number in range(count):
            spec.add_hfield(
                name=f"{GEOM}_{number}",
                nrow=rows,
                ncol=columns,
                size=[length / 2, width / 2, self._elevation, BASE],
                userdata=placeholder,
            )
        spec.worldbody.add_geom(
            name=GEOM,
            type=mujoco.mjtGeom.mjGEOM_HFIELD,
            hfieldname=f"{GEOM}_0",
            pos=[self.x + length / 2, self.y + width / 2, self._lowest],
            friction=friction,
            material=material,
        )
        if self.has_level:
            plane = mujoco.mjtGeom.mjGEOM_PLANE
            spec.worldbody.add_geom(name=LEVEL, type=plane, size=[0, 0, 1], friction=friction, material=material)

    def write(self, model: mujoco.MjModel) -> None:
        """Puts the heights into a model compiled from a spec that `add_to` added them to."""
        lowest, elevation = np.float32(self._lowest), np.float32(self._elevation)
        for number, heights in enumerate(self.heights):
            start = model.hfield_adr[model.hfield(f"{GEOM}_{number}").id]
            if self.has_level:
                heights = np.where(_within_level(heights), np.float32(-SUNK), heights)
            model.hfield_data[start : start + heights.size] = ((heights - lowest) / elevation).ravel()

    def asset_ids(self, model: mujoco.MjModel) -> np.ndarray:
        """(K,) What ``geom_dataid`` of the geom ``ground`` is in a world that stands on each field."""
        return np.array([model.hfield(f"{GEOM}_{number}").id for number in range(len(self))])


def _within_level(heights: np.ndarray) -> np.ndarray:
    """(rows, columns) bool: samples at height 0 with eight neighbours at 0; cells that rise keep all their corners."""
    level = np.pad(heights <= 0, 1, mode="edge")
    along = level[:, :-2] & level[:, 1:-1] & level[:, 2:]
    return along[:-2] & along[1:-1] & along[2:]


def level_field(length: float, width: float, cell: float) -> np.ndarray:
    """(rows, columns) Level ground of the given extents along x and y, m."""
    return np.zeros((samples(width, cell), samples(length, cell)), dtype=np.float32)


def samples(extent: float, cell: float) -> int:
    """How many samples span an extent, both ends included."""
    return round(extent / cell) + 1
