"""The World on a GPU: MuJoCo Warp, its arrays seen as torch tensors without a copy. Also on Warp's CPU device."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from typing import Any

import mujoco
import mujoco_warp as mjw
import numpy as np
import torch
import warp as wp
from torch import Tensor

from embodied.physics import gpu_kernels as kernels
from embodied.physics.cpu import CpuWorld
from embodied.physics.devices import WARP_CPU, check_device
from embodied.physics.gpu_buffers import BufferSizes, buffer_sizes, constraint_room
from embodied.physics.gpu_graphs import Graphs, can_capture
from embodied.physics.gpu_health import Health
from embodied.physics.gpu_limits import refuse_missing, refuse_model, refuse_varying, start_warp
from embodied.physics.gpu_parameters import following, moves_static_geoms, put_model, static_geoms, views
from embodied.physics.world import SceneModel

STATE_FIELDS = (
    *("time", "qpos", "qvel", "act", "history", "qacc_warmstart", "ctrl", "qfrc_applied", "xfrc_applied"),
    *("eq_active", "mocap_pos", "mocap_quat", "userdata"),
)
"""All that determines the future, in the order of MuJoCo's own state vector and so of `CpuWorld.state`."""
_REST_OF_VELOCITY = frozenset(
    [
        *("actuator_velocity", "ten_velocity", "qfrc_passive", "qfrc_spring", "qfrc_damper", "qfrc_gravcomp"),
        *("qfrc_fluid", "qfrc_bias"),
    ]
)
"""Fields of the velocity stage that most tasks never read; they are current after a step once they were asked for."""
_VELOCITY_SENSORS = (mujoco.mjtSensor.mjSENS_ACTUATORVEL, mujoco.mjtSensor.mjSENS_TENDONVEL)


class GpuWorld:
    """W simulations on one GPU, in single precision. See `World` for the methods.

    Nothing in `step`, `reset`, `forward`, `set_state` and `ray` waits for the GPU. What a step does is one CUDA graph
    from its third call on. A world whose state is of no more use is unhealthy, and stands in the default state
    afterwards, as MuJoCo's own autoreset would have it.
    """

    in_trouble = True
    """Whether any world may be unhealthy: to tell would be to wait for the GPU. Use `unhealthy` as a mask."""
    members = 1
    """Bodies that the worlds are of, in equal shares; see `MembersWorld`."""

    def __init__(
        self,
        scene: SceneModel,
        num_worlds: int = 1,
        varying: Sequence[str] = (),
        device: str = "cuda",
        contacts: int | None = None,
        constraints: int | None = None,
        graphs: bool | None = None,
        deterministic: bool = False,
    ) -> None:
        """Makes the worlds in the model's default state.

        Args:
            scene: gives the model.
            varying: names of model fields that get values per world.
            device: ``cuda``, ``cuda:N`` or ``warp-cpu``.
            contacts: room for contacts, and pairs of geoms that come near, per world, pooled over all worlds;
                measured by default, see `gpu_buffers`.
            constraints: room for constraint rows of each world; by default what that many contacts can need.
            graphs: whether to record graphs; by default wherever that is possible.
            deterministic: whether a repeated run gives the same bits on a GPU, where threads otherwise add up in any
                order; on Warp's CPU device it does anyway.

        Raises:
            ValueError: fewer than one world, no room, or a model field that never varies.
            UserError: the device is not there, or the model cannot be held on it.
        """
        if num_worlds < 1:
            raise ValueError(f"a World has at least one world, not {num_worlds}")
        refuse_missing(check_device(device))
        refuse_model(scene.model)
        refuse_varying(scene.model, varying)
        start_warp()
        self.num_worlds = num_worlds
        self.model = scene.model
        self._there: Any = wp.get_device("cpu" if device == WARP_CPU else device)
        self.device = torch.device(wp.device_to_torch(self._there))
        with wp.ScopedDevice(self._there), torch.inference_mode(False):
            self._held = put_model(scene.model, num_worlds, varying)
            self._held.opt.warn_overflow = 0  # what overflows is counted, not printed
            if self._there.is_cuda:
                self._held.opt.graph_conditional = wp.is_conditional_graph_supported()
            if deterministic:
                self._held.opt.deterministic = int(mjw.DeterminismType.ALL)
            self.parameters = views(self._held, scene.model, num_worlds, varying)
            self.constants = views(self._held, scene.model, num_worlds, following(varying))
            """Per-world model fields that follow from `parameters`, as `refresh_constants` left them."""
            self.buffers = _room(scene, tuple(varying), contacts, constraints)
            """Room per world for contacts, and in each world for constraint rows."""
            self._data = mjw.make_data(
                scene.model, num_worlds, nconmax=self.buffers.contacts, njmax=self.buffers.constraints
            )
            self._host = mujoco.MjData(scene.model)
            self._fields: dict[str, Tensor] = {}
            self._health = Health(num_worlds, self.device, self.members)
            if scene.model.nhfield:
                self._held.callback.contactfilter = self._health.sieve_contacts
            self._mask = torch.zeros(num_worlds, dtype=torch.bool, device=self.device)
            self._mask_there: Any = wp.from_torch(self._mask)
            self._defaults = self._default_rows(scene)
            self._wiped = {name: self._zero_row(name) for name in ("sensordata", "qacc")}
            still = static_geoms(scene.model) if moves_static_geoms(varying) else np.zeros(0, dtype=np.int32)
            self._still: Any = wp.array(still, dtype=int)
        self._whole_velocity = bool(scene.model.ntendon) or bool(
            np.isin(scene.model.sensor_type, _VELOCITY_SENSORS).any()
        )
        enabled = can_capture(self._there) if graphs is None else graphs
        self._graphs = Graphs(self._there, enabled, self._held, self._data)
        self.unhealthy = self._health.unhealthy()
        wp.synchronize_device(self._there)
        self.reset()
        self._graphs.run("derive", self._derive)

    def _default_rows(self, scene: SceneModel) -> list[tuple[Any, Any]]:
        """Per state field one world's default as a row, and the field as (W, n) numbers; the CPU World's defaults."""
        native = CpuWorld(scene, 1, threads=1)
        rows: list[tuple[Any, Any]] = []
        for name in self._state_fields():
            values = _flat(getattr(self._data, name), self.num_worlds)
            rows.append((wp.array(native.field(name).numpy().reshape(1, -1), dtype=values.dtype), values))
        native.close()
        return rows

    def _zero_row(self, name: str) -> tuple[Any, Any]:
        values = _flat(getattr(self._data, name), self.num_worlds)
        return wp.zeros((1, values.shape[1]), dtype=values.dtype), values

    def _state_fields(self) -> list[str]:
        return [name for name in STATE_FIELDS if getattr(self._data, name).size]

    @property
    def warnings(self) -> dict[str, int]:
        """How many worlds met each trouble, step by step; asking waits for the GPU."""
        return dict(sum(map(Counter, self.member_warnings), Counter()))

    @property
    def member_warnings(self) -> list[dict[str, int]]:
        """The same for each member."""
        return self._health.warnings()

    @property
    def counters(self) -> dict[str, Tensor]:
        """The same by kind, () each, on the device; asking does not wait for it."""
        return self._health.counters()

    @property
    def troubles(self) -> Tensor:
        """(members, kinds) int64 on the device, live: what `warnings` counts, for checkpoints to hold and restore."""
        return self._health.counted

    @property
    def recordings(self) -> int:
        """How many graphs were recorded so far."""
        return self._graphs.recordings

    @torch.inference_mode(False)  # a view made in inference mode could not be written outside it
    def field(self, name: str) -> Tensor:
        """A live view of an MjData field, float32; see `World.field`.

        Raises:
            ValueError: the engine does not hold such a field, or holds it in another form.
        """
        if name not in self._fields:
            array, host = getattr(self._data, name, None), getattr(self._host, name, None)
            shape = (self.num_worlds, *(() if host is None else np.shape(host)))
            if host is None or not isinstance(array, wp.array) or _numbers_in(array) != np.prod(shape):
                raise ValueError(f"a GPU World has no field {name!r}")
            if array.size:
                self._fields[name] = wp.to_torch(array, requires_grad=False).reshape(shape)
            else:
                self._fields[name] = torch.zeros(shape, device=self.device)
            self._look_after(name)
        return self._fields[name]

    def _look_after(self, name: str) -> None:
        """Lets steps keep current, and clean of what is no number, a derived field that someone reads."""
        if name in STATE_FIELDS or not self._fields[name].is_floating_point() or not self._fields[name].numel():
            return
        with self._graphs.on_torch_stream():
            self._wiped.setdefault(name, self._zero_row(name))
        self._whole_velocity = self._whole_velocity or name in _REST_OF_VELOCITY
        self._graphs.forget()

    def step(self, substeps: int) -> None:
        """Advances every world; see `World.step`."""
        self._graphs.run(f"step {substeps}", lambda: self._advance(substeps))
        self.unhealthy = self._health.unhealthy()  # a new one: infos hold the old

    def _advance(self, substeps: int) -> None:
        self._place_static_geoms()
        self._health.begin(self._data)
        for _ in range(substeps):
            mjw.step(self._held, self._data)
        self._health.end(self._data)
        for row, values in (*self._defaults, *self._wiped.values()):
            wp.launch(kernels.restore, values.shape, [self._health.broken, row], [values])
        self._derive()

    def _derive(self) -> None:
        """Makes current what positions and velocities tell, without collisions and forces."""
        held, data = self._held, self._data
        self._place_static_geoms()
        mjw.fwd_kinematics(held, data)
        mjw.transmission(held, data)
        mjw.sensor_pos(held, data)
        if self._whole_velocity:
            mjw.fwd_velocity(held, data)
        else:
            mjw.com_vel(held, data)
        mjw.sensor_vel(held, data)

    def _place_static_geoms(self) -> None:
        if not self._still.size:
            return
        held, data = self._held, self._data
        mjw.kinematics(held, data)
        wp.launch(
            kernels.place_static_geoms,
            (self.num_worlds, self._still.size),
            [self._still, held.geom_bodyid, held.geom_pos, held.geom_quat, data.xpos, data.xquat],
            [data.geom_xpos, data.geom_xmat],
        )

    def forward(self, mask: Tensor | None = None) -> None:
        """Computes all derived fields; see `World.forward`."""
        kept = {} if mask is None else self._snapshot(self._fields)
        self._graphs.run("forward", self._forward)
        _put_back(self._fields, kept, mask)

    def _forward(self) -> None:
        self._place_static_geoms()
        mjw.forward(self._held, self._data)

    def _snapshot(self, fields: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: field.clone() for name, field in fields.items() if name not in STATE_FIELDS}

    def reset(self, mask: Tensor | None = None) -> None:
        """Restores the default state; see `World.reset`."""
        if mask is None:
            self._mask.fill_(True)
        else:
            self._mask.copy_(mask)
        self._graphs.run("reset", self._restore)

    def _restore(self) -> None:
        for row, values in self._defaults:
            wp.launch(kernels.restore, values.shape, [self._mask_there, row], [values])

    def state(self) -> Tensor:
        """A copy of the full state, columns as in MuJoCo's own; see `World.state`."""
        parts = [self.field(name).reshape(self.num_worlds, -1) for name in self._state_fields()]
        return torch.cat([part.to(torch.float32) for part in parts], dim=1)

    def set_state(self, state: Tensor, mask: Tensor | None = None, derive: bool = True) -> None:
        """Restores rows of the state; see `World.set_state`.

        Without ``derive`` derived fields follow at the next `forward` or `step` only.
        """
        fields = [self.field(name) for name in self._state_fields()]
        sizes = [field[0].numel() for field in fields]
        if tuple(state.shape) != (self.num_worlds, sum(sizes)):
            raise ValueError(
                f"the state has shape {tuple(state.shape)}; this World's is {(self.num_worlds, sum(sizes))}"
            )
        for field, part in zip(fields, state.to(self.device).split(sizes, dim=1), strict=True):
            part = part.reshape(field.shape).to(field.dtype)
            if mask is None:
                field.copy_(part)
            else:
                torch.where(_along(mask, field), part, field, out=field)
        if derive:
            self._graphs.run("derive", self._derive)

    def ray(
        self, origins: Tensor, directions: Tensor, exclude: int = -1, groups: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Casts rays in every world; see `World.ray`."""
        worlds, rays = origins.shape[:2]
        distance = torch.empty(worlds, rays, device=self.device)
        geom = torch.empty(worlds, rays, dtype=torch.int32, device=self.device)
        normal = torch.empty(worlds, rays, 3, device=self.device)
        excluded = torch.full((rays,), exclude, dtype=torch.int32, device=self.device)
        seen = [-1.0 if groups is None else float(group in groups) for group in range(mujoco.mjNGROUP)]
        start, way = (
            wp.from_torch(part.to(torch.float32).contiguous(), dtype=wp.vec3) for part in (origins, directions)
        )
        out = [wp.from_torch(distance), wp.from_torch(geom), wp.from_torch(normal, dtype=wp.vec3)]
        among: Any = (start, way, wp.types.vector(mujoco.mjNGROUP, float)(*seen), True, wp.from_torch(excluded), *out)
        with self._graphs.on_torch_stream():
            mjw.rays(self._held, self._data, *among)
        return distance, geom

    def refresh_constants(self, mask: Tensor | None = None) -> None:
        """Recomputes derived model constants; see `World.refresh_constants`."""
        kept = {} if mask is None else self._snapshot(self.constants)
        self._graphs.run("constants", lambda: mjw.set_const(self._held, self._data))
        _put_back(self.constants, kept, mask)

    def data(self, world: int) -> mujoco.MjData:
        """A copy of one world as an MjData of the host with all derived fields, for rendering and inspection."""
        model = copy.copy(self.model)
        for name, values in {**self.parameters, **self.constants}.items():
            host: Any = model.opt if name.startswith("opt.") else model
            np.asarray(getattr(host, name.removeprefix("opt.")))[...] = values[world].cpu().numpy()
        data = mujoco.MjData(model)
        row = self.state()[world].double().cpu().numpy()
        mujoco.mj_setState(model, data, row, int(mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_forward(model, data)
        return data

    def close(self) -> None:
        """Frees what the device holds, once all that is under way there has ended; closing twice does nothing."""
        if "_data" in self.__dict__:
            # Warp frees on a stream of its own, which need not wait for the one of torch's that steps were launched on.
            wp.synchronize_device(self._there)
        self.parameters, self.constants = {}, {}
        for name in ("_graphs", "_fields", "_defaults", "_wiped", "_data", "_held"):
            self.__dict__.pop(name, None)


def _room(scene: SceneModel, varying: tuple[str, ...], contacts: int | None, constraints: int | None) -> BufferSizes:
    for name, size in (("contacts", contacts), ("constraints", constraints)):
        if size is not None and size < 1:
            raise ValueError(f"room for {name} is 1 at least, not {size}")
    if contacts is not None:
        return BufferSizes(contacts, constraints or constraint_room(scene.model, contacts, varying))
    measured = buffer_sizes(scene, varying)
    return BufferSizes(measured.contacts, constraints or measured.constraints)


def _numbers_in(array: Any) -> int:
    return int(array.size) * int(np.prod(getattr(array.dtype, "_shape_", ()), dtype=int))


def _flat(array: Any, worlds: int) -> Any:
    """The same memory as (worlds, n) numbers."""
    kind = wp.bool if array.dtype is wp.bool else wp.float32
    shape = (worlds, _numbers_in(array) // worlds)
    return wp.array(ptr=array.ptr, dtype=kind, shape=shape, device=array.device, copy=False)


def _along(mask: Tensor, like: Tensor) -> Tensor:
    return mask.reshape(-1, *(1,) * (like.dim() - 1))


def _put_back(fields: dict[str, Tensor], kept: dict[str, Tensor], mask: Tensor | None) -> None:
    """Undoes what a whole-batch computation did to the worlds outside a mask."""
    for name, before in kept.items():
        assert mask is not None
        fields[name].copy_(torch.where(_along(mask, before), fields[name], before))
