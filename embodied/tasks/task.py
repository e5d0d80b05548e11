"""Task: scene, senses, action meaning, reward terms and end of an episode, for all worlds at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import gymnasium
import torch
from torch import Tensor

from embodied.physics.world import World
from embodied.scenes import Scene
from embodied.senses import Sense
from morphologies import Body


class Task(ABC):
    """What an environment asks. One instance serves one environment: it holds the views of its World.

    Calls come in this order: `scene`, `start`; for each new episode `reset`, the World's forward pass, `begin`; per
    control step `act`, the World's step, `rewards`, `terminated`, the senses' readings, and `metrics` when an episode
    ends. All masks are boolean (W,) tensors.
    """

    name: str
    agents: tuple[str, ...] = ("robot",)
    """Names of the entities that act, one per body the task is given."""
    default_body: str
    """The body when none is named."""
    episode_steps: int
    """Control steps until an episode is truncated."""

    starts_alike: bool = False
    """Whether a start depends on the generator alone: not on the world it is drawn for nor on what went before. Then
    starts are drawn ahead, many at once, by a copy of the task, and what varies between worlds goes along."""

    refreshes_constants: bool = False
    """Whether a start varies what the engine derives constants from, such as masses. On a device these constants go
    along with it; on CPU threads they cannot, and starts are not drawn ahead."""

    body_constants: tuple[str, ...] | None = None
    """Attributes that `scene` takes from the agents' bodies, numbers, and that are read through `EntityView.per_world`:
    several bodies of one topology can then play the task in one World, for which each is a tuple of numbers. None where
    that has not been thought of."""

    fitness_term: str | None = None
    """The reward term whose sum over an episode is a body's fitness; None for the whole return."""

    def __init__(self) -> None:
        self.memory: dict[str, Tensor] = {}
        """What the task remembers of each world between steps, (W, …) by name; checkpoints hold it."""

    @abstractmethod
    def scene(self, bodies: Mapping[str, Body]) -> Scene:
        """The scene with the bodies of the agents in it."""

    @abstractmethod
    def start(self, scene: Scene, world: World, generator: torch.Generator) -> None:
        """Takes the World it will be played in, and the generator that all its chance comes from."""

    @abstractmethod
    def senses(self) -> Mapping[str, Sequence[Sense]]:
        """The senses that make up each observation group. Called after `start`."""

    @abstractmethod
    def action_space(self) -> gymnasium.spaces.Box:
        """The space of one world's action. Called after `start`."""

    def restart(self) -> None:  # noqa: B027 - most tasks keep nothing from one episode to the next
        """Forgets what outlives episodes, such as the levels of a curriculum: the environment was seeded anew."""

    @abstractmethod
    def reset(self, mask: Tensor) -> None:
        """Draws the start of an episode in worlds that stand in the model's default state."""

    def begin(self, mask: Tensor) -> None:  # noqa: B027 - a task without memory has nothing to do here
        """Clears the memory of those worlds, once derived fields describe the start that `reset` drew."""

    @abstractmethod
    def act(self, actions: Tensor) -> None:
        """Turns actions, (W, n), into controls."""

    @abstractmethod
    def rewards(self) -> dict[str, Tensor]:
        """The reward terms of the step just made, (W,) each; the reward is their sum."""

    @abstractmethod
    def terminated(self) -> Tensor:
        """(W,) bool: episodes that ended, time limits aside."""

    def metrics(self) -> dict[str, Tensor]:
        """What the task is judged by besides its reward, (W,) each, as it stands after the step just made."""
        return {}
