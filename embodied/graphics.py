"""Off-screen graphics, chosen before MuJoCo is imported: it reads MUJOCO_GL once, at its first import."""

from __future__ import annotations

import os
import sys

HINT = (
    "pictures need an off-screen OpenGL, which is missing here; on Debian and Ubuntu: "
    "apt-get install libegl1 libopengl0 libgl1-mesa-dri"
)


class NoGraphics(RuntimeError):
    """No OpenGL is to be had here; the message says what to install."""


def choose_egl() -> None:
    """Asks MuJoCo for EGL on Linux where nobody chose otherwise, and imports it.

    Raises:
        NoGraphics: EGL's libraries are missing; MuJoCo cannot even be imported with it then.
    """
    if "mujoco" in sys.modules or sys.platform != "linux":
        return
    os.environ.setdefault("MUJOCO_GL", "egl")
    try:
        import mujoco  # noqa: F401
    except Exception as error:
        raise NoGraphics(f"{HINT} ({type(error).__name__}: {error})") from None
