"""The egocentric height map: the ground's relief around a body, on a grid that moves and turns with it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from embodied.scenes import EntityView, Ground
from embodied.scenes.arrays import arrays_of, library_of
from embodied.senses.sense import Term

MAX_HEIGHT = 20.0
"""m. No arena's heights lie further apart."""
CELL = 0.1
"""Of DERL's grid, m."""
CELLS_BEHIND, CELLS_AHEAD, CELLS_ASIDE = 10, 40, 40
"""Of DERL's grid: it reaches 1 m behind the body, 4 m ahead and 4 m to each side."""


def thinned(cells: int) -> list[int]:
    """Whole cells from 0 to ``cells``, ever further apart. DERL's rule.

    ``i / cells`` for i from 0 to cells - 1 is mapped by -ln(1 - u), scaled so that the last is ``cells``, and cut to
    whole cells; the distinct ones remain.
    """
    stretched = [-math.log(1.0 - i / cells) for i in range(cells)]
    return sorted({int(value * cells / stretched[-1]) for value in stretched})


def thinned_grid() -> tuple[Tensor, Tensor]:
    """DERL's grid: (30,) offsets along the heading and (47,) to its left, m. float64."""
    back, ahead, aside = (thinned(cells) for cells in (CELLS_BEHIND, CELLS_AHEAD, CELLS_ASIDE))
    along = sorted({*(-cell for cell in back), *ahead})
    across = sorted({*(-cell for cell in aside), *aside})
    return CELL * torch.tensor(along, dtype=torch.float64), CELL * torch.tensor(across, dtype=torch.float64)


def regular_grid(behind: float, ahead: float, aside: float, spacing: float) -> tuple[Tensor, Tensor]:
    """A regular grid: offsets along the heading and to its left, m, both ends included. float64."""
    along = torch.arange(round((behind + ahead) / spacing) + 1, dtype=torch.float64) * spacing - behind
    across = torch.arange(round(2 * aside / spacing) + 1, dtype=torch.float64) * spacing - aside
    return along, across


class HeightMap:
    """Heights around the root link, m, less the height under it. The grid turns with the body's heading.

    Read from the ground's own data by the engine's triangles, exact where rays are and a fraction of their price.
    Objects that lie on the ground are not part of it.
    """

    def __init__(self, entity: EntityView, ground: Ground, grid: tuple[Tensor, Tensor] | None = None) -> None:
        """``grid``: offsets along the heading and to its left, m; DERL's thinned one by default."""
        self._entity = entity
        self._ground = ground
        along, across = grid or thinned_grid()
        self._along, self._across = entity.constant(along.numpy()), entity.constant(across.numpy())
        shape = (len(along), len(across))
        self._middle = _middle(along, across)
        self._arrays = arrays_of(entity.world)
        self.terms = (Term("height_map", shape[0] * shape[1], "m", MAX_HEIGHT, "heading, root link", shape),)

    def read(self) -> Tensor:
        """(W, along, across) float32."""
        centre = self._entity.root_pos[:, :2]
        heights = self._ground.window(centre, self._entity.heading, self._along, self._across)
        # In numpy on the CPU: torch would start threads for so many numbers, and they would fight the physics'.
        array = self._arrays.of(heights)
        if self._middle is not None:
            here = library_of(array).asarray(array[:, self._middle[0], self._middle[1], None, None], copy=True)
        else:
            here = self._arrays.of(self._ground.height(centre[:, None]))[:, :, None]
        array -= here
        return heights


def _middle(along: Tensor, across: Tensor) -> tuple[int, int] | None:
    """Where a grid has the body itself; None where it has not."""
    found = [(offsets.abs() < 1e-9).nonzero().flatten().tolist() for offsets in (along, across)]
    return (found[0][0], found[1][0]) if all(found) else None
