"""MJCF: includes spliced in, files collected, so that the engine reads one string and nothing from the disk."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from morphologies.read.assets import Assets
from morphologies.read.errors import RobotError
from morphologies.read.safe_xml import Budget, parse_xml

TEXTURE_FILES = ("file", "fileright", "fileleft", "fileup", "filedown", "filefront", "fileback")
FOLDERS = {"mesh": "meshdir", "texture": "texturedir", "hfield": "meshdir", "flexcomp": "meshdir"}
"""Which of the compiler's folders an element's files lie in."""


def gather_mjcf(path: Path, root: ElementTree.Element, assets: Assets, budget: Budget) -> str:
    """The whole model as one XML text whose files are all in ``assets``.

    Raises:
        RobotError: an include or a file that is not to be read, or an element that cannot be.
    """
    folder = path.resolve().parent
    _splice(root, folder, folder, assets, budget, path, [path.resolve()])
    if (size := _expanded_size(root)) > budget.total:
        raise RobotError(path, f"expands to {size:.3g} elements, far more than a robot")
    settings: dict[str, str] = {}
    for compiler in root.iter("compiler"):
        for name in ("assetdir", "meshdir", "texturedir", "strippath"):
            if name in compiler.attrib:
                settings[name] = compiler.attrib.pop(name)
    for parent in list(root.iter()):
        for element in list(parent):
            if element.tag == "skin":  # a look alone, and large
                parent.remove(element)
    for element in root.iter():
        _take_files(element, folder, settings, assets, path)
    return ElementTree.tostring(root, encoding="unicode")


def _splice(
    element: ElementTree.Element,
    folder: Path,
    main: Path,
    assets: Assets,
    budget: Budget,
    path: Path,
    open_files: list[Path],
) -> None:
    """Puts the content of included files in the place of every include below an element."""
    for position, child in reversed(list(enumerate(element))):
        if child.tag != "include":
            _splice(child, folder, main, assets, budget, path, open_files)
            continue
        file = assets.resolve(child.get("file", ""), [folder, main], "include")
        if file in open_files:
            raise RobotError(path, f"includes {file.name} inside itself")
        included = parse_xml(file, budget)
        _splice(included, file.parent, main, assets, budget, path, [*open_files, file])
        element[position : position + 1] = list(included)


def _expanded_size(element: ElementTree.Element) -> float:
    """How many elements the engine makes of one: some say how often they are to be repeated."""
    own = sum(_expanded_size(child) for child in element)
    if element.tag in ("replicate", "composite", "flexcomp"):
        for word in element.get("count", "1").split():
            try:
                own = max(own, 1.0) * max(float(word), 1.0)
            except ValueError:  # the engine will say so
                continue
    return 1.0 + own


def _take_files(
    element: ElementTree.Element, folder: Path, settings: dict[str, str], assets: Assets, path: Path
) -> None:
    names = [name for name in element.attrib if name.startswith("file")]
    if not names:
        return
    if element.tag == "model":
        raise RobotError(path, "attaches other models (<model file=…>), which is not read; write one model out instead")
    if element.tag not in FOLDERS or not set(names) <= set(TEXTURE_FILES):
        raise RobotError(path, f"<{element.tag}> refers to a file, which is not read")
    base = settings.get(FOLDERS[element.tag], settings.get("assetdir", ""))
    for name in names:
        reference = element.attrib[name]
        if settings.get("strippath") == "true":
            reference = reference.replace("\\", "/").rpartition("/")[2]
        file = assets.resolve(reference, [folder / base], element.tag)
        if name == "file" and element.tag != "flexcomp" and not element.get("name"):
            element.set("name", file.stem)  # as MuJoCo names it
        element.set(name, assets.add(file, element.tag, mesh=element.tag in ("mesh", "flexcomp")))
        element.attrib.pop("content_type", None)
