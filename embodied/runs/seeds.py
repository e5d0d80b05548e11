"""Seeds: one sequence per run, from which everything random gets a stream of its own."""

from __future__ import annotations

import numpy as np
import torch


def stream(seed: int, *path: int) -> np.random.SeedSequence:
    """The sequence at an address below a run's seed; it does not depend on what else was drawn."""
    return np.random.SeedSequence(seed, spawn_key=path)


def generator_seed(sequence: np.random.SeedSequence) -> int:
    """A 63-bit seed for a torch generator or another run."""
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)


def torch_generator(sequence: np.random.SeedSequence) -> torch.Generator:
    """A CPU generator on the sequence."""
    return torch.Generator().manual_seed(generator_seed(sequence))
