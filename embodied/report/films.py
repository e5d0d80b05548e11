"""Short films of bodies under their own policies, for the report; each is made once."""

from __future__ import annotations

from pathlib import Path

from embodied.envs import make
from embodied.graphics import NoGraphics
from embodied.learning.evaluate import mean_actor
from embodied.learning.load import POLICY, load
from embodied.report.history import History, Life
from embodied.report.lineage import ancestors, spread
from embodied.report.video import film, viewing_distance
from embodied.runs.errors import UserError
from embodied.tasks import UnknownTask
from morphologies import GenomeError, body_from_genome, from_json

SECONDS = 5.0
SIZE = (480, 352)
"""Pixels; multiples of 16."""
MOST = 5
"""Bodies of the best one's line that are filmed."""
SEED = 0
"""Of the episodes: all bodies are filmed on the same."""


class Films:
    """Films lifetimes of one evolution into a folder, under their numbers."""

    def __init__(self, history: History, folder: Path) -> None:
        """The folder is made when the first film is."""
        self._history, self._folder = history, folder
        self.missing: str | None = None
        """Why a film could not be made; None as long as all could."""

    def path(self, life: Life) -> Path | None:
        """The MP4 file of a lifetime, or None where there is no policy or nothing can be drawn."""
        target = self._folder / f"lifetime-{life.id:06d}.mp4"
        if target.exists() and target.stat().st_size:
            return target
        folder = self._history.path / "lifetimes" / f"{life.id:06d}"
        if not (folder / POLICY).exists():
            self.missing = self.missing or f"{folder / POLICY} is not there"
            return None
        try:
            body = body_from_genome(from_json(life.genome), f"lifetime {life.id}")
            env = make(str(self._history.config.get("task")), body, num_worlds=1, threads=1)
            try:
                policy = load(folder)
                if policy.shape.actions != env.action_space.shape[0]:
                    raise UserError(f"the policy in {folder} is not one for its body: it was trained on another")
                return film(env, mean_actor(policy), target, SEED, SECONDS, SIZE, distance=viewing_distance(body)).path
            finally:
                env.close()
        except (NoGraphics, UserError, UnknownTask, GenomeError) as error:
            self.missing = str(error)
            return None


def filmed_line(history: History) -> list[Life]:
    """Whom to film: the founder of the best, ancestors between them, the best."""
    return spread(ancestors(history, history.best), MOST)
