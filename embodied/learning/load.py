"""Policies on disk: one safetensors file with weights and normalisers, its shape in the header."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from embodied.networks import ActorCritic, PolicyShape
from embodied.runs.checkpoint import latest_checkpoint
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically

POLICY = "policy.safetensors"
VERSION = 1


def save_policy(policy: ActorCritic, path: Path) -> None:
    """Writes a policy file."""
    tensors = {name: tensor.contiguous() for name, tensor in policy.state_dict().items()}
    metadata = {"format": "embodied.policy", "version": str(VERSION), "shape": json.dumps(policy.shape.as_dict())}
    write_atomically(path, safetensors.torch.save(tensors, metadata))


def latest_weights(run: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The policy's weights in the latest checkpoint of a run's folder, and its facts; None without a checkpoint."""
    found = latest_checkpoint(run / "checkpoints")
    if found is None:
        return None
    tensors, facts = found
    return {n.removeprefix("policy/"): t for n, t in tensors.items() if n.startswith("policy/")}, facts


def load(run: str | Path) -> ActorCritic:
    """The policy of a run folder, or of a policy file. A run that is not finished gives its latest checkpoint's.

    Raises:
        UserError: there is none, or it is damaged; the message names the file.
    """
    path = Path(run)
    if path.is_dir() and not (path / POLICY).exists():
        found = latest_weights(path)
        if found is None:
            raise UserError(f"{path} holds no trained policy: no {POLICY} and no checkpoint")
        weights, facts = found
        return _policy(facts.get("policy", {}), weights, path)
    file = path / POLICY if path.is_dir() else path
    try:
        data = file.read_bytes()
        (header,) = struct.unpack("<Q", data[:8])
        metadata = json.loads(data[8 : 8 + header])["__metadata__"]
        if metadata["format"] != "embodied.policy":
            raise KeyError
        if int(metadata["version"]) > VERSION:
            raise UserError(f"{file} was written by a newer version of embodied; upgrade to read it")
        return _policy(json.loads(metadata["shape"]), safetensors.torch.load(data), file)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from None
    except (SafetensorError, struct.error, ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{file} is damaged or no policy of embodied") from None


def warm_start(policy: ActorCritic, run: Path) -> None:
    """Gives a policy that has just begun the weights and normalisers of another run's, of the same shape.

    Raises:
        UserError: there is none, it is damaged, or it reads, does, or is made of something else.
    """
    known = load(run)
    if known.shape != policy.shape:
        raise UserError(f"the policy in {run} has other inputs, outputs or layers than the one to be trained")
    policy.load_state_dict(known.state_dict())


def refuse_outsized(shape: object, weights: dict[str, Tensor]) -> None:
    """Raises ValueError where a shape names a size that no weight has: networks are not made to such sizes at all."""
    if isinstance(shape, dict):
        shape = list(shape.values())
    if isinstance(shape, list | tuple):
        for each in shape:
            refuse_outsized(each, weights)
    elif isinstance(shape, int):
        largest = max((size for weight in weights.values() if weight.numel() for size in weight.shape), default=0)
        if not shape <= largest:
            raise ValueError


def _policy(shape: dict, weights: dict[str, torch.Tensor], where: Path) -> ActorCritic:
    try:
        refuse_outsized(shape, weights)
        policy = ActorCritic(PolicyShape.from_dict(shape), torch.Generator())
        policy.load_state_dict(weights)
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise UserError(f"{where} is damaged: its weights do not fit its shape") from None
    return policy.eval()
