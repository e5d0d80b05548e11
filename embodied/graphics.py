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


def choose_egl(needed: bool = True) -> None:
    """Asks MuJoCo for EGL on Linux where nobody chose otherwise, and imports it.

    Args:
        needed: where EGL's libraries are missing MuJoCo cannot even be imported with it; then this raises, or, where
            pictures are not needed, MuJoCo is imported without graphics.

    Raises:
        NoGraphics: the libraries are missing, and needed.
    """
    if "mujoco" in sys.modules or sys.platform != "linux":
        return
    os.environ.setdefault("MUJOCO_GL", "egl")
    try:
        import mujoco
    except Exception as error:
        if needed:
            raise NoGraphics(f"{HINT} ({type(error).__name__}: {error})") from None
        os.environ["MUJOCO_GL"] = "disable"
        import mujoco  # noqa: F401


def refuse_no_screen() -> None:
    """Raises NoGraphics where MuJoCo would look for a screen and there is none: asked twice, GLFW ends the process."""
    off_screen = os.environ.get("MUJOCO_GL", "").lower() not in ("", "glfw", "on", "1", "true", "enable", "enabled")
    if sys.platform == "linux" and not (off_screen or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise NoGraphics(f"set MUJOCO_GL=egl before mujoco is first imported; or {HINT}")
