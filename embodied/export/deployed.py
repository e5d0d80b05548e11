"""Deployed: a bundle back in the framework, as the skill prior or the actor that it is, on onnxruntime.

Its networks decide from observations of the framework's environments, which are those that `run_policy` builds from
readings. It cannot be trained any further: there are no weights to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from embodied.export.errors import BundleError
from embodied.export.manifest import MANIFEST, SUMS, read_bundle
from embodied.export.networks import LATENT, Input, Network
from embodied.export.opening import network_faults, sessions_of
from embodied.export.readings import groups_of
from embodied.networks import Memory
from embodied.runs.files import write_atomically
from embodied.senses import Term
from embodied.skills.ase.latents import on_sphere, projected
from embodied.vector_env import Observation

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class Bundle:
    """A bundle whose checksums, schema and networks are sound."""

    def __init__(self, folder: Path) -> None:
        """Reads it.

        Raises:
            BundleError: the first thing that is wrong with it.
        """
        self.manifest, files, _ = read_bundle(folder)
        self.files = {**files, **{name: (folder / name).read_bytes() for name in (MANIFEST, SUMS)}}
        """All of it by path, as it was read."""
        self.where = str(folder)
        self.networks = list(zip(self.manifest["networks"], sessions_of(self.manifest, files, self.where), strict=True))
        """What the manifest says of each, and the network, in the order in which they decide."""
        self.observation_spec: Mapping[str, tuple[Term, ...]] = groups_of(self.manifest["networks"])
        """The terms of each observation group that is read."""
        action = self.manifest["action"]
        offset, scale, low, high = (
            np.array([actuator[key] for actuator in action["actuators"]]) for key in ("offset", "scale", "low", "high")
        )
        ends = np.sort(np.stack(((low - offset) / scale, (high - offset) / scale)), axis=0).astype(np.float32)
        self.action_space = gymnasium.spaces.Box(*ends)
        """Of one world: from the lowest to the highest action that reaches an actuator whole."""
        self.clip = np.inf if action["clip"] is None else float(action["clip"])

    @property
    def commands_itself(self) -> bool:
        """Whether no latent is wanted from outside: it has none, or chooses its own."""
        return self.manifest["latent"] is None or self.networks[0][0]["output"]["name"] == LATENT

    def run(self, session: InferenceSession, network: Mapping[str, Any], known: Mapping[str, Tensor]) -> Tensor:
        """(W, n) What one of the networks says, from (W, …) each by name of its inputs."""
        missing = [each["name"] for each in network["inputs"] if each["name"] not in known]
        if missing:
            raise BundleError(self.where, f"reads {', '.join(missing)}, which the observation does not have")
        shown = {each["name"]: known[each["name"]].detach().cpu() for each in network["inputs"]}
        for each in network["inputs"]:
            if shown[each["name"]].shape[1:] != (each["size"],):
                found = tuple(shown[each["name"]].shape)
                raise BundleError(
                    self.where,
                    f"reads {each['name']} of {each['size']} numbers, not of shape {found}: it is for another robot "
                    "or task",
                )
        try:
            (output,) = session.run(None, {name: np.asarray(each, dtype=np.float32) for name, each in shown.items()})
        except network_faults() as error:
            raise BundleError(self.where, f"has a network {network['name']} that cannot be run: {error}") from None
        return torch.from_numpy(output)


class BundledPrior:
    """A `SkillPrior` from a bundle: its decoder, and latents on the unit sphere."""

    def __init__(self, bundle: Bundle) -> None:
        """Takes a bundle that wants latents."""
        self.bundle = bundle
        (self._network, self._session), *others = bundle.networks
        if others or bundle.commands_itself or bundle.manifest["latent"]["space"] != "unit_sphere":
            raise BundleError(bundle.where, "is no skill prior: it takes no latents on a unit sphere from outside")
        self.latent_space = gymnasium.spaces.Box(-1.0, 1.0, (bundle.manifest["latent"]["size"],), np.float32)
        self.action_space = bundle.action_space

    @property
    def robot(self) -> str:
        """See `SkillPrior`."""
        return self.bundle.manifest["robot"]["name"]

    @property
    def control_dt(self) -> float:
        """See `SkillPrior`."""
        return self.bundle.manifest["timing"]["control_period"]

    @property
    def observation_spec(self) -> Mapping[str, tuple[Term, ...]]:
        """See `SkillPrior`."""
        return self.bundle.observation_spec

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """(n, L) Uniformly from the sphere."""
        return on_sphere(n, self.latent_space.shape[0], generator)

    def project(self, latent: Tensor) -> Tensor:
        """(…, L) Cut to ±1, then brought to unit length."""
        return projected(latent)

    def decode(self, obs: Observation, latent: Tensor, memory: Memory = ()) -> tuple[Tensor, Memory]:
        """Mean actions; see `SkillPrior`."""
        return self.bundle.run(self._session, self._network, {**obs, LATENT: latent}), memory

    def network(self, terms: Mapping[str, tuple[Term, ...]]) -> Network:
        """Its decoder, to go into another bundle; ``terms`` are those of the observation groups there."""
        told = self._network
        inputs = tuple(Input(each["name"], each["size"], terms.get(each["name"], ())) for each in told["inputs"])
        content = self.bundle.files[told["file"]]
        return Network(told["name"], content, inputs, told["output"]["name"], told["output"]["size"], told["every"])

    def initial_memory(self, num_worlds: int) -> Memory:
        """Empty."""
        return ()

    def clear(self, memory: Memory, mask: Tensor) -> Memory:
        """Nothing to clear."""
        return memory


class BundledActor:
    """An `Actor` from a bundle: a policy, or a high-level policy with the prior that it commands.

    Its latents are held as the manifest says, in all worlds from the first call after `reset` on: it acts in episodes
    that begin together.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Takes a bundle that decides by itself."""
        if not bundle.commands_itself:
            raise BundleError(bundle.where, "is a skill prior, which wants latents")
        self.bundle, self.action_space = bundle, bundle.action_space
        self.reset()

    @property
    def robot(self) -> str:
        """Name of the robot that it moves."""
        return self.bundle.manifest["robot"]["name"]

    @property
    def task(self) -> str:
        """Name of the task that it was trained in."""
        return self.bundle.manifest["training"]["task"]

    @property
    def control_dt(self) -> float:
        """Time between two decisions, s."""
        return self.bundle.manifest["timing"]["control_period"]

    @property
    def observation_spec(self) -> Mapping[str, tuple[Term, ...]]:
        """The terms of each observation group that it reads."""
        return self.bundle.observation_spec

    def reset(self) -> None:
        """Begins anew."""
        self._steps, self._latent = 0, torch.zeros(0)

    def __call__(self, observation: Observation) -> Tensor:
        """(W, n) Actions for observations (W, …) by group; the mean, cut as the task cuts them."""
        action = torch.zeros(0)
        for network, session in self.bundle.networks:
            if network["output"]["name"] == LATENT:
                if self._steps % network["every"] == 0:
                    self._latent = self.bundle.run(session, network, observation)
            else:
                action = self.bundle.run(session, network, {**observation, LATENT: self._latent})
        self._steps += 1
        return action.clamp(-self.bundle.clip, self.bundle.clip)


def deployed(folder: Path) -> BundledPrior | BundledActor:
    """What a bundle is.

    Raises:
        BundleError: the first thing that is wrong with it.
    """
    bundle = Bundle(folder)
    return BundledActor(bundle) if bundle.commands_itself else BundledPrior(bundle)


def laid_down(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes the files of a bundle into a folder, manifest and checksums last: before them it is none."""
    last = (MANIFEST, SUMS)
    for path in (*(path for path in files if path not in last), *last):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / path, files[path])
