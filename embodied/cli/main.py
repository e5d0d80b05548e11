"""``embodied``: finds the command, runs it, and turns what went wrong into a sentence and exit status 2."""

from __future__ import annotations

import difflib
import io
import os
import sys
from importlib import import_module

COMMANDS = {
    "evolve": "evolve bodies while their controllers learn",
    "train": "train a controller for one body",
    "pretrain": "learn from motion clips: to imitate them, or skills that policies command",
    "transfer": "train the best bodies of an evolution on other tasks",
    "play": "make a video of a trained, idle or random body",
    "eval": "returns over full episodes, with confidence intervals",
    "report": "the figures of a run; of an evolution a page with pictures too",
    "view": "watch a run in the browser, with any of its bodies moving",
    "export": "a trained policy as a bundle; a body as MJCF, URDF, meshes and a parts list",
    "motion": "motion clips: bring them in, list, check and watch them",
    "doctor": "what is understood of a robot file or body, with what looks wrong, and a picture",
    "list": "the tasks, bodies and presets there are",
    "bench": "speed, as ratios from one run",
}

DRAWING = {"play": True, "report": False, "doctor": False, "motion": False}
"""Commands that draw, for which MuJoCo is imported with EGL, and whether they are of no use without."""


def main(arguments: list[str] | None = None) -> None:
    """Runs a command; exits with status 0, 2 for what the caller can put right, 130 when interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may hold what the terminal's encoding does not
        sys.stdout.reconfigure(errors="backslashreplace")
    if not given or given[0] in ("-h", "--help"):
        width = max(map(len, COMMANDS))
        lines = "\n".join(f"  {name.ljust(width)}  {what}" for name, what in COMMANDS.items())
        print(f"usage: embodied COMMAND [--help] …\n\n{lines}")
        sys.exit(0 if given else 2)
    name, rest = given[0], given[1:]
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(COMMANDS)}"
        _refuse(f"there is no command {name!r}; {hint}")
    # Small networks on a few cores: torch's own threads would only fight the physics for them.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from embodied.graphics import NoGraphics, choose_egl

    try:
        if name in DRAWING:
            choose_egl(needed=DRAWING[name])
        _run(name, rest)
    except NoGraphics as error:
        _refuse(str(error))
    except OSError as error:
        from embodied.runs.errors import explain_os_error

        if error.errno is None:
            raise
        _refuse(explain_os_error(error))
    except KeyboardInterrupt:
        print("\nStopped. What was written stays; the same command with --resume goes on from it.", file=sys.stderr)
        sys.exit(130)


def _run(name: str, arguments: list[str]) -> None:
    from embodied.envs.contract import RewardNotFinite
    from embodied.learning.ppo import TrainingDiverged
    from embodied.runs.errors import UserError
    from embodied.tasks import UnknownTask
    from embodied.tasks.registry import load_plugins
    from morphologies import GenomeError, RobotError, UnknownBody

    try:
        load_plugins()
        import_module(f"embodied.cli.{name}").run(arguments)
    except (RewardNotFinite, UserError, UnknownTask, UnknownBody, GenomeError, RobotError, TrainingDiverged) as error:
        _refuse(str(error))


def _refuse(sentence: str) -> None:
    print(f"embodied: {sentence}", file=sys.stderr)
    sys.exit(2)
