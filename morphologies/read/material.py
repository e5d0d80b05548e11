"""Material: a robot file with all it refers to, safe to hand to the engine: one XML text, and bytes by name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from morphologies.read.assets import Assets, asset_root_of
from morphologies.read.errors import RobotError
from morphologies.read.mjcf import gather_mjcf
from morphologies.read.safe_xml import Budget, parse_xml
from morphologies.read.urdf_files import gather_urdf

Kind = Literal["mjcf", "urdf"]


@dataclass
class Material:
    """What was gathered."""

    kind: Kind
    text: str
    """The XML, includes in place, its files under the names of ``files``."""
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """A header line of JSON, then all files one after the other."""
        header = {
            "kind": self.kind,
            "text": self.text,
            "files": {name: len(content) for name, content in self.files.items()},
            "notes": self.notes,
        }
        return json.dumps(header).encode() + b"\n" + b"".join(self.files.values())

    @staticmethod
    def from_bytes(raw: bytes) -> Material:
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: it is something else.
        """
        line, separator, rest = raw.partition(b"\n")
        header = json.loads(line)
        files, start = {}, 0
        for name, size in header["files"].items():
            files[name] = rest[start : start + size]
            start += size
        if not separator or start != len(rest):
            raise ValueError("the parts do not fill the whole")
        return Material(header["kind"], header["text"], files, header["notes"])


def gather(path: Path, asset_root: Path | None = None) -> Material:
    """Reads a robot file and all it refers to.

    Raises:
        RobotError: see `parse_xml` and `Assets`; or it is neither MJCF nor URDF.
    """
    if path.is_dir():
        raise RobotError(path, "is a folder; name the robot's MJCF or URDF file in it")
    if not path.exists():
        raise RobotError(path, "is not there")
    if not path.is_file():
        raise RobotError(path, "is no regular file")
    budget = Budget()
    root = parse_xml(path, budget)
    assets = Assets(path, asset_root_of(path, asset_root))
    notes: list[str] = []
    if root.tag == "mujoco":
        kind: Kind = "mjcf"
        text = gather_mjcf(path, root, assets, budget)
    elif root.tag == "robot":
        kind = "urdf"
        gather_urdf(path, root, assets)
        text = ElementTree.tostring(root, encoding="unicode")
    else:
        raise RobotError(path, f"is neither MJCF nor URDF: its root element is <{root.tag}>, not <mujoco> or <robot>")
    return Material(kind, text, assets.files, notes)
