"""The World on CPU threads: MuJoCo's native batch, its arrays seen as torch tensors without a copy."""

from __future__ import annotations

import os
from collections.abc import Sequence

import mujoco
import numpy as np
import torch
from mujoco.batch import MODEL_FIELDS, Batch, SimulationError
from torch import Tensor

from embodied.physics.engine_clock import stop_engine_clock
from embodied.physics.world import SceneModel

_STATE_FIELDS = frozenset(
    [
        *("time", "qpos", "qvel", "act", "history", "qacc_warmstart", "ctrl", "qfrc_applied", "xfrc_applied"),
        *("eq_active", "mocap_pos", "mocap_quat", "userdata", "plugin_state"),
    ]
)
_WARNINGS = {int(kind): name.removeprefix("mjWARN_").lower() for name, kind in mujoco.mjtWarning.__members__.items()}


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def silence_engine_log() -> None:
    """Keeps MuJoCo from writing MUJOCO_LOG.TXT and to stderr; warnings are counted by Worlds instead."""
    config = mujoco.MjLogConfig.get()
    config.logto_file = False
    config.logto_console = False
    config.set()


class CpuWorld:
    """W simulations on native threads; bit-identical at any number of threads. See `World` for the methods."""

    def __init__(
        self, scene: SceneModel, num_worlds: int = 1, varying: Sequence[str] = (), threads: int | None = None
    ) -> None:
        """Makes the worlds in the model's default state.

        Args:
            scene: gives the model.
            varying: names of model fields that get values per world, e.g. ``geom_friction`` or ``body_mass``.
            threads: native threads; by default as many as cores are usable, at most one per world.
        """
        if num_worlds < 1:
            raise ValueError(f"a World has at least one world, not {num_worlds}")
        unknown = [name for name in varying if name not in MODEL_FIELDS]
        if unknown:
            raise ValueError(f"model fields that cannot vary between worlds: {', '.join(unknown)}")
        silence_engine_log()
        stop_engine_clock()
        self.num_worlds = num_worlds
        self.device = torch.device("cpu")
        self.model = scene.model
        self.threads = min(threads or usable_cores(), num_worlds)
        self._batch = Batch(scene.model, num_worlds, self.threads, persistent=True)
        self._fields: dict[str, Tensor] = {}
        self._warning_counts = self._batch.warning[:, :, 1]
        self.parameters = {name: torch.from_numpy(self._batch.expand(name)) for name in varying}
        self.unhealthy = torch.zeros(num_worlds, dtype=torch.bool)
        self.warnings: dict[str, int] = {}
        self.in_trouble = False
        """Whether any world is unhealthy."""
        self._batch.reset()
        self._default_state = self._batch.state[0].copy()
        if self.model.nkey:
            self._default_state[self._columns("qpos")] = self.model.key_qpos[0]
            self._default_state[self._columns("ctrl")] = self.model.key_ctrl[0]
            if self.model.nhistory:
                self._default_state[self._columns("history")] = _history_of(self.model, self.model.key_ctrl[0])
            self._batch.state[:] = self._default_state

    @torch.inference_mode(False)  # a view made in inference mode could not be written outside it
    def field(self, name: str) -> Tensor:
        """A live view of an MjData field, float64; see `World.field`."""
        if name not in self._fields:
            array = self._batch.bind(name)
            if name not in _STATE_FIELDS:
                array.flags.writeable = True  # torch has no read-only tensors; nobody may write this one
            self._fields[name] = torch.from_numpy(array)
            if name not in _STATE_FIELDS:
                # A field bound now is zero until the next call; this one leaves the state as it is.
                self._batch.forward(stage=mujoco.mjtStage.mjSTAGE_VEL)
        return self._fields[name]

    @property
    def fields(self) -> list[str]:
        """Names of the fields that were asked for; the engine copies the derived ones among them out at each step."""
        return list(self._fields)

    def step(self, substeps: int) -> None:
        """Advances every world; see `World.step`."""
        if self.in_trouble:
            self.unhealthy = torch.zeros_like(self.unhealthy)
            self.in_trouble = False
        try:
            self._batch.step(nstep=substeps, stage=mujoco.mjtStage.mjSTAGE_VEL)
        except SimulationError as error:
            self.in_trouble = True
            self.unhealthy = self.unhealthy.clone()
            self.unhealthy[torch.from_numpy(np.asarray(error.ids, dtype=np.int64))] = True
            self.warnings["error"] = self.warnings.get("error", 0) + len(error.ids)
        if self._warning_counts.any():
            self._note_warnings()

    def _note_warnings(self) -> None:
        # MuJoCo restores qpos0 by itself in a world that went bad: its warning is all that tells.
        counts = self._warning_counts
        for kind in np.flatnonzero(counts.any(axis=0)):
            name = _WARNINGS[int(kind)]
            self.warnings[name] = self.warnings.get(name, 0) + int((counts[:, kind] > 0).sum())
        self.in_trouble = True
        self.unhealthy = self.unhealthy | torch.from_numpy(counts.any(axis=1))  # never in place: infos hold the old one
        self._batch.warning[:] = 0

    def _columns(self, name: str) -> slice:
        """Where a state field lies in a row of the batch's state."""
        field, state = self._batch.bind(name), self._batch.state
        start = (field.ctypes.data - state.ctypes.data) // state.itemsize
        return slice(start, start + field.shape[1])

    def forward(self, mask: Tensor | None = None) -> None:
        """Computes all derived fields; see `World.forward`."""
        self._batch.forward(_ids(mask))

    def reset(self, mask: Tensor | None = None) -> None:
        """Restores the default state; see `World.reset`."""
        # A row of state is a whole simulation; writing it is a tenth of the price of the batch's own reset.
        self._batch.state[slice(None) if mask is None else mask.numpy()] = self._default_state

    def state(self) -> Tensor:
        """A copy of the full state; see `World.state`."""
        return torch.from_numpy(self._batch.state.copy())

    def set_state(self, state: Tensor, mask: Tensor | None = None) -> None:
        """Restores rows of the state; see `World.set_state`."""
        expected = (self.num_worlds, self._batch.nstate)
        if tuple(state.shape) != expected:
            raise ValueError(f"the state has shape {tuple(state.shape)}; this World's is {expected}")
        rows = slice(None) if mask is None else mask.numpy()
        self._batch.state[rows] = state.numpy()[rows]
        self._batch.forward(_ids(mask), stage=mujoco.mjtStage.mjSTAGE_VEL)

    def rows(self, worlds: Tensor) -> np.ndarray:
        """(k, n) Copies of the full states of some worlds, by number."""
        return self._batch.state[worlds.numpy()]

    def set_rows(self, worlds: Tensor | np.ndarray, rows: np.ndarray) -> None:
        """Writes full states of some worlds; derived fields follow at the next `forward` or `step`."""
        self._batch.state[np.asarray(worlds)] = rows

    def ray(
        self, origins: Tensor, directions: Tensor, exclude: int = -1, groups: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Casts rays in every world; see `World.ray`."""
        seen = None if groups is None else [int(group in groups) for group in range(mujoco.mjNGROUP)]
        distance, geom = self._batch.ray(origins.numpy(), directions.numpy(), geomgroup=seen, bodyexclude=exclude)
        return torch.from_numpy(distance), torch.from_numpy(geom)

    def refresh_constants(self, mask: Tensor | None = None) -> None:
        """Recomputes derived model constants; see `World.refresh_constants`."""
        self._batch.set_const(_ids(mask))

    def data(self, world: int) -> mujoco.MjData:
        """A copy of one world as an MjData with all derived fields, for rendering and inspection."""
        data = self._batch.get_data(world)
        mujoco.mj_forward(self._batch.get_model(world), data)
        return data

    def close(self) -> None:
        """Drops the batch and with it its threads; closing twice does nothing."""
        self._fields.clear()
        self.parameters = {}
        self.__dict__.pop("_warning_counts", None)
        self.__dict__.pop("_batch", None)


def _history_of(model: mujoco.MjModel, controls: np.ndarray) -> np.ndarray:
    """(nhistory,) The default history, but as if these controls had been held: delayed actuators begin with them."""
    data = mujoco.MjData(model)
    for actuator in np.flatnonzero(model.actuator_history[:, 0]):
        samples = np.full((model.actuator_history[actuator, 0], 1), controls[actuator])
        mujoco.mj_initCtrlHistory(model, data, actuator, None, samples)
    return data.history.copy()


def _ids(mask: Tensor | None) -> np.ndarray | None:
    return None if mask is None else mask.numpy()
