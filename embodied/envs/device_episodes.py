"""Figures of episodes that ended on a device, in the protocol's form: looked up on the host when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class EpisodeFigures:
    """Of all worlds, on the device, (W,) each; they mean something where an episode ended."""

    finished: Tensor
    """Bool: where one did."""
    returns: Tensor
    lengths: Tensor
    """Control steps."""
    terms: Mapping[str, Tensor]
    """Sums of the reward's terms."""
    metrics: Mapping[str, Tensor]
    """The task's own figures."""

    def entries(self) -> dict[str, Any]:
        """What `info` holds of them."""
        return {
            "finished": self.finished,
            "episode_return": self.returns,
            "episode_length": self.lengths,
            "episode_terms": dict(self.terms),
            "episode_metrics": dict(self.metrics),
        }


@dataclass(eq=False)
class LookedUpEpisodes(Mapping[str, Any]):
    """``info["episode"]`` of the `VectorEnv` protocol, tensors of the host. Looking into it waits for the device."""

    figures: EpisodeFigures
    judge: Callable[[], None]
    """Called when it is first looked into; raises what must not go on."""
    _found: dict[str, Any] = field(default_factory=dict)

    def _look_up(self) -> dict[str, Any]:
        if not self._found:
            self.judge()
            figures = self.figures
            worlds = figures.finished.cpu().nonzero().flatten()
            on_device = worlds.to(figures.finished.device)

            def of(values: Tensor) -> Tensor:
                return values.index_select(0, on_device).cpu()

            self._found = {
                "world": worlds,
                "return": of(figures.returns),
                "length": of(figures.lengths),
                "terms": {name: of(values) for name, values in figures.terms.items()},
                "metrics": {name: of(values) for name, values in figures.metrics.items()},
            }
        return self._found

    def __getitem__(self, name: str) -> Any:
        return self._look_up()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._look_up())

    def __len__(self) -> int:
        return len(self._look_up())
