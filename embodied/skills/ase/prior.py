"""The ASE prior: a frozen decoder of skills, and the discriminator that says how much a movement is like the clips."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from embodied.learning.load import latest_weights, refuse_outsized
from embodied.networks import Memory
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.senses import Term
from embodied.skills.ase.latents import on_sphere, projected
from embodied.skills.ase.policy import SkillPolicy, SkillShape
from embodied.skills.ase.rewards import style_reward
from embodied.vector_env import Observation

PRIOR = "prior.safetensors"
"""In a run's folder, once it is finished."""
VERSION = 1


@dataclass(frozen=True)
class Origin:
    """What a prior's user has to know and its weights do not say."""

    robot: str
    """Name of the robot that it moves."""
    control_dt: float
    """s."""
    observation_spec: Mapping[str, tuple[Term, ...]]
    """Terms of the groups that the decoder reads."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON file."""
        spec = {name: [asdict(term) for term in terms] for name, terms in self.observation_spec.items()}
        return {"robot": self.robot, "control_dt": self.control_dt, "observation_spec": spec}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Origin:
        """Reads `as_dict` back."""
        spec = {
            name: tuple(Term(**{**term, "shape": tuple(term["shape"])}) for term in terms)
            for name, terms in data["observation_spec"].items()
        }
        return cls(str(data["robot"]), float(data["control_dt"]), spec)


class ASEPrior:
    """A `SkillPrior` and `StyledPrior`: latents are points of a unit sphere."""

    def __init__(self, policy: SkillPolicy, origin: Origin) -> None:
        """Freezes the policy.

        Args:
            policy: what was learned.
            origin: of which robot, from what readings.
        """
        self.policy = policy.eval().requires_grad_(False)
        self.origin = origin
        size = policy.shape.latent
        self.latent_space = gymnasium.spaces.Box(-1.0, 1.0, (size,), np.float32)
        self.action_space = gymnasium.spaces.Box(policy.low.numpy(), policy.high.numpy())

    @property
    def robot(self) -> str:
        """See `SkillPrior`."""
        return self.origin.robot

    @property
    def control_dt(self) -> float:
        """See `SkillPrior`."""
        return self.origin.control_dt

    @property
    def observation_spec(self) -> Mapping[str, tuple[Term, ...]]:
        """See `SkillPrior`."""
        return self.origin.observation_spec

    @property
    def window_steps(self) -> int:
        """See `StyledPrior`."""
        return self.policy.shape.window

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """(n, L) Uniformly from the sphere."""
        return on_sphere(n, self.policy.shape.latent, generator)

    def project(self, latent: Tensor) -> Tensor:
        """(…, L) Cut to ±1, then brought to unit length."""
        return projected(latent)

    @torch.no_grad()
    def decode(self, obs: Observation, latent: Tensor, memory: Memory = ()) -> tuple[Tensor, Memory]:
        """Mean actions; see `SkillPrior`."""
        return self.policy.decoder(obs, latent), memory

    @torch.no_grad()
    def style_reward(self, window: Tensor) -> Tensor:
        """(…) r_D of windows (…, window_steps, F); see `rewards`."""
        return style_reward(self.policy.discriminator.logits(self.policy.normalised_windows(window)))

    @torch.no_grad()
    def encode(self, window: Tensor) -> Tensor:
        """(…, L) The latents that movements (…, window_steps, F) tell of."""
        return self.policy.discriminator(self.policy.normalised_windows(window))[1]

    def initial_memory(self, num_worlds: int) -> Memory:
        """Empty."""
        return ()

    def clear(self, memory: Memory, mask: Tensor) -> Memory:
        """Nothing to clear."""
        return memory


def save_prior(prior: ASEPrior, path: Path) -> None:
    """Writes a prior file: weights and normalisers, what they are of in the header."""
    tensors = {name: tensor.contiguous() for name, tensor in prior.policy.state_dict().items()}
    metadata = {
        "format": "embodied.prior",
        "kind": "ase",
        "version": str(VERSION),
        "shape": json.dumps(prior.policy.shape.as_dict()),
        "origin": json.dumps(prior.origin.as_dict()),
    }
    write_atomically(path, safetensors.torch.save(tensors, metadata))


def load_prior(run: str | Path) -> ASEPrior:
    """The prior of a pre-training's folder, or of a prior file. An unfinished run gives its latest checkpoint's.

    Raises:
        UserError: there is none, or it is damaged; the message names the file.
    """
    path = Path(run)
    if path.is_dir() and not (path / PRIOR).exists():
        found = latest_weights(path)
        if found is None:
            raise UserError(f"{path} holds no skill prior: no {PRIOR} and no checkpoint")
        weights, facts = found
        if "skills" not in facts or "origin" not in facts:
            raise UserError(f"{path} holds no skill prior: its checkpoints are of another kind of training")
        return _prior(facts["skills"], facts["origin"], weights, path)
    file = path / PRIOR if path.is_dir() else path
    try:
        data = file.read_bytes()
        (header,) = struct.unpack("<Q", data[:8])
        metadata = json.loads(data[8 : 8 + header])["__metadata__"]
        if metadata["format"] != "embodied.prior" or metadata["kind"] != "ase":
            raise KeyError
        if int(metadata["version"]) > VERSION:
            raise UserError(f"{file} was written by a newer version of embodied; upgrade to read it")
        shape, origin, weights = (
            json.loads(metadata["shape"]),
            json.loads(metadata["origin"]),
            safetensors.torch.load(data),
        )
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from None
    except (SafetensorError, struct.error, ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{file} is damaged or no skill prior of embodied") from None
    return _prior(shape, origin, weights, file)


def _prior(shape: Mapping, origin: Mapping, weights: dict[str, Tensor], where: Path) -> ASEPrior:
    try:
        refuse_outsized(shape, weights)
        policy = SkillPolicy(SkillShape.from_dict(shape), torch.Generator())
        policy.load_state_dict(weights)
        return ASEPrior(policy, Origin.from_dict(origin))
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise UserError(f"{where} is damaged: its weights do not fit its shape") from None
