"""``embodied pretrain imitate | ase``: learn from motion clips what later policies build on."""

from __future__ import annotations

import difflib
from importlib import import_module
from importlib.util import find_spec

from embodied.runs.errors import UserError

WAYS = {
    "imitate": "track every clip as closely as physics allow",
    "ase": "adversarial skill embeddings: one policy for all clips, commanded through a latent",
}


def run(arguments: list[str]) -> None:
    """The command."""
    known = {name: what for name, what in WAYS.items() if find_spec(_module(name)) is not None}
    if not arguments or arguments[0] in ("-h", "--help"):
        width = max(map(len, known))
        lines = "\n".join(f"  {name.ljust(width)}  {what}" for name, what in known.items())
        print(f"usage: embodied pretrain WAY [--help] …\n\n{lines}")
        raise SystemExit(0 if arguments else 2)
    name, *rest = arguments
    if name not in known:
        close = difflib.get_close_matches(name, known, n=2)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(known)}"
        raise UserError(f"there is no embodied pretrain {name!r}; {hint}")
    import_module(_module(name)).run(rest)


def _module(name: str) -> str:
    return f"embodied.cli.pretrain_{name}"
