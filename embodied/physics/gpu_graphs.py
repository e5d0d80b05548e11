"""CUDA graphs of what a World does each step: recorded once, launched as one; and recorded anew when arrays change.

A graph holds the addresses of the arrays that it was recorded with. An array that is replaced later would go on being
read at its old address without a word, so every launch first makes sure that the arrays are the ones it was recorded
with.
"""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from operator import attrgetter, is_
from typing import Any

import torch
import warp as wp

OLDEST_DRIVER = (12, 4)
"""CUDA driver that first has loops within graphs, which the engine's solver needs."""


def can_capture(device: wp.Device) -> bool:
    """Whether graphs can be recorded: on a GPU with a memory pool and a driver that is new enough.

    Warp's CPU device records graphs too; there they save the time of Python's launching kernel by kernel.
    """
    if device.is_cpu:
        return True
    return bool(device.is_mempool_enabled) and tuple(wp.get_cuda_driver_version() or (0, 0)) >= OLDEST_DRIVER


class Graphs:
    """Runs procedures of Warp launches on torch's current stream, as graphs where that is possible."""

    def __init__(self, device: wp.Device, enabled: bool, *holders: Any) -> None:
        """Records nothing yet.

        Args:
            device: where the launches go.
            enabled: whether to record at all.
            holders: dataclasses, nested ones included, that hold the arrays which procedures read and write.
        """
        self._device = device
        self.enabled = enabled
        self._getters = [getter for holder in holders for getter in _getters_of(holder)]
        self._recorded: dict[str, tuple[Any, list[Any]]] = {}
        self._warm: set[str] = set()
        self._streams: dict[int, wp.Stream] = {}
        self.recordings = 0
        """How many graphs were recorded since the start."""

    def run(self, name: str, procedure: Callable[[], None]) -> None:
        """Does what the procedure does.

        The first call of a name runs it as it is, which also loads its kernels; the second records it.
        """
        with self.on_torch_stream():
            if not self.enabled:
                procedure()
            elif name not in self._warm:
                procedure()
                self._warm.add(name)
            else:
                wp.capture_launch(self._graph(name, procedure))

    def forget(self) -> None:
        """Drops all graphs: their procedures have changed."""
        self._recorded.clear()
        self._warm.clear()

    def arrays(self) -> list[Any]:
        """The arrays in use now, in one order."""
        return [array for holder, getter in self._getters for array in getter(holder)]

    def recorded_with(self, name: str) -> list[Any]:
        """The arrays that a graph was recorded with, in the order of `arrays`."""
        return self._recorded[name][1]

    def _graph(self, name: str, procedure: Callable[[], None]) -> Any:
        arrays = self.arrays()
        if name in self._recorded:
            graph, known = self._recorded[name]
            if all(map(is_, arrays, known)):
                return graph
        with _no_garbage_collection(), self._recording_stream(), wp.ScopedCapture(self._device) as capture:
            procedure()
        self._recorded[name] = (capture.graph, arrays)
        self.recordings += 1
        return capture.graph

    def _recording_stream(self) -> AbstractContextManager[Any]:
        """CUDA's default stream, which torch works on, cannot record: the launches go to another one meanwhile."""
        if self._device.is_cuda:
            return wp.ScopedStream(wp.Stream(self._device), sync_enter=False)
        return nullcontext()

    def on_torch_stream(self) -> AbstractContextManager[Any]:
        """Within it Warp launches where torch does, so that neither has to wait for the other."""
        if not self._device.is_cuda:
            return wp.ScopedDevice(self._device)
        stream = torch.cuda.current_stream(wp.device_to_torch(self._device))
        if stream.cuda_stream not in self._streams:
            self._streams[stream.cuda_stream] = wp.stream_from_torch(stream)
        return wp.ScopedStream(self._streams[stream.cuda_stream], sync_enter=False)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Finalisers that free device memory while a graph is recorded would become part of it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _getters_of(holder: Any) -> list[tuple[Any, Callable[[Any], tuple[Any, ...]]]]:
    """Of a dataclass and those in it: what reads all arrays at once; it is asked before every launch."""
    names, getters = [], []
    for field in dataclasses.fields(holder):
        value = getattr(holder, field.name, None)
        if isinstance(value, wp.array):
            names.append(field.name)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            getters += _getters_of(value)
    if names:
        getters.append((holder, attrgetter(*names, names[0])))  # of two names at least, for it to give a tuple
    return getters
