"""The files a URDF refers to: meshes, found where ROS would find them and put under names of our own."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from morphologies.read.assets import Assets
from morphologies.read.errors import RobotError

XACRO = "http://www.ros.org/wiki/xacro"


def gather_urdf(path: Path, root: ElementTree.Element, assets: Assets) -> None:
    """Replaces each mesh's file name by its name in ``assets``; textures and simulator plugins are left out.

    Raises:
        RobotError: a xacro file, or a mesh that is not to be read.
    """
    for element in root.iter():
        if element.tag.startswith(("xacro:", f"{{{XACRO}}}")):
            raise RobotError(path, "still has xacro macros in it; write it out first: xacro robot.xacro > robot.urdf")
    folder = path.resolve().parent
    for link in root.findall("link"):
        for mesh in link.iterfind(".//geometry/mesh"):
            reference = mesh.get("filename", "")
            file = assets.resolve(reference, [folder], f"mesh of link {link.get('name')!r}")
            mesh.set("filename", assets.add(file, "mesh", mesh=True))
