"""Robots that people bring: MJCF and URDF files, read with caution into Bodies."""

from __future__ import annotations

from pathlib import Path

from morphologies.body import Body
from morphologies.develop import Root
from morphologies.read.child import gathered_in_child
from morphologies.read.errors import RobotError
from morphologies.read.kept import keep, kept_robot
from morphologies.read.material import gather
from morphologies.read.overrides import Gains, Overrides, overrides_beside
from morphologies.read.reading import Reading, understand

SUFFIXES = (".xml", ".mjcf", ".urdf")
"""Of robot files."""


def read(
    path: str | Path,
    asset_root: str | Path | None = None,
    root: Root | None = None,
    overrides: Overrides | None = None,
    trusted: bool = False,
) -> Reading:
    """Reads a robot file and says what was understood; see `read_robot`."""
    path = Path(path)
    beside = None
    if overrides is None:
        overrides, beside = overrides_beside(path)
    folder = None if asset_root is None else Path(asset_root)
    material = gather(path, folder) if trusted else gathered_in_child(path, folder, overrides, root)
    return understand(material, path, overrides, root, beside)


def read_robot(
    path: str | Path,
    asset_root: str | Path | None = None,
    root: Root | None = None,
    overrides: Overrides | None = None,
    trusted: bool = False,
) -> Body:
    """The Body that an MJCF or URDF file describes.

    The file is taken for hostile: it is read, its meshes are converted, and it is compiled in a child process that
    may crash, hang or run out of memory, before this process looks at what came of it.

    Args:
        path: ``.xml``, ``.mjcf`` or ``.urdf``; ``robot.yaml`` beside ``robot.xml`` overrides what is guessed.
        asset_root: folder that all its files must lie in; by default the nearest ROS package around it, else its own.
        root: imposes how the root link is held.
        overrides: in place of the YAML's.
        trusted: reads it here, without a child: for files that are part of this project.

    Raises:
        RobotError: what is wrong with it, with the path.
    """
    return read(path, asset_root, root, overrides, trusted).body()


__all__ = ["SUFFIXES", "Gains", "Overrides", "Reading", "RobotError", "keep", "kept_robot", "read", "read_robot"]
