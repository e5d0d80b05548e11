"""A CUDA graph of a function that always works on the same tensors: recorded once, replayed ever after.

A minibatch update of policies this small is a hundred kernels and more of a few microseconds each; started one by one
from Python they cost several times that. What is recorded is the very function that runs without a graph.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch

WARM_UPS = 3
"""Calls before the recording, in which libraries allocate what they need. PyTorch's documentation, "CUDA Graphs"."""


class Replayed:
    """Calls a function as a CUDA graph. On a device without graphs, or where recording fails, calls it as it is."""

    def __init__(
        self, function: Callable[[], None], idle: Callable[[], AbstractContextManager[None]], device: torch.device
    ) -> None:
        """Records nothing yet.

        Args:
            function: takes its inputs from tensors that stay where they are and leaves its results in such; never
                looks at what the device has computed; draws nothing random.
            idle: a context in which calls of it change nothing.
            device: that it runs on.
        """
        self._function, self._idle, self._device = function, idle, device
        self._graph: torch.cuda.CUDAGraph | None = None
        self._plain = device.type != "cuda"

    @property
    def recorded(self) -> bool:
        """Whether calls replay a graph."""
        return self._graph is not None

    def __call__(self) -> None:
        """What the function does."""
        if self._graph is None and not self._plain:
            self._record()
        if self._graph is not None:
            self._graph.replay()
        else:
            self._function()

    def _record(self) -> None:
        current, aside = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)
        with self._idle():
            aside.wait_stream(current)
            with torch.cuda.stream(aside):
                for _ in range(WARM_UPS):
                    self._function()
            current.wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.device(self._device), torch.cuda.graph(graph):
                self._function()
        except RuntimeError as error:
            warnings.warn(f"learning goes on without a CUDA graph, which could not be recorded: {error}", stacklevel=2)
            self._plain = True
        else:
            self._graph = graph
