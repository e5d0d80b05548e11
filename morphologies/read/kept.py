"""A robot kept beside what was learned on it: its file with all it refers to, in one that needs no other."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from morphologies.body import Body
from morphologies.read.errors import RobotError
from morphologies.read.material import Material
from morphologies.read.overrides import overrides_from
from morphologies.read.reading import Reading, understand


def keep(reading: Reading) -> bytes:
    """What `kept_robot` reads: a line of JSON on what was said of the robot, then its material."""
    said = {"name": reading.name, "root": reading.imposed_root, "overrides": asdict(reading.overrides)}
    return json.dumps(said).encode() + b"\n" + reading.material.to_bytes()


def kept_robot(path: Path) -> Body:
    """The robot as it was when it was kept, whatever has become of its own files.

    Raises:
        RobotError: the file is damaged.
    """
    try:
        line, _, material = path.read_bytes().partition(b"\n")
        said = json.loads(line)
        overrides = overrides_from(said["overrides"])
        gathered = Material.from_bytes(material)
        name, root = str(said["name"]), said["root"]
    except OSError as error:
        raise RobotError(path, f"cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RobotError(path, "is damaged, or no robot that a run has kept") from None
    return understand(gathered, path.with_name(f"{name}.xml"), overrides, root).body()
