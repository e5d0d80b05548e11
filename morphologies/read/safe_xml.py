"""Hostile XML: a tree of elements from a file, with everything refused that could read more than the file itself."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from morphologies.read.errors import RobotError

MAX_BYTES = 32 << 20
"""Of one XML file. The largest robot descriptions known are about 1 MB."""
MAX_ELEMENTS = 100_000
"""Of one robot, its includes among them. A dog of 63 bodies has about 1,000."""
MAX_DEPTH = 200
"""Elements inside elements. Each joint of a chain is one level."""


class Budget:
    """How many elements a robot may still have, over all its files."""

    def __init__(self, elements: int = MAX_ELEMENTS) -> None:
        self.total = elements
        self.left = elements


def parse_xml(path: Path, budget: Budget) -> ElementTree.Element:
    """The root element of a file.

    Raises:
        RobotError: unreadable, too large, not XML, a DOCTYPE or an entity, or too many or too deeply nested elements.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RobotError(path, f"cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise RobotError(path, f"is larger than {MAX_BYTES >> 20} MB, more than any robot description")
    if not raw.strip():
        raise RobotError(path, "is empty; expected MJCF or URDF")
    return _parse(path, raw, budget)


def _parse(path: Path, raw: bytes, budget: Budget) -> ElementTree.Element:
    builder = ElementTree.TreeBuilder()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        budget.left -= 1
        if budget.left < 0:
            raise RobotError(path, f"has more than {budget.total:,} elements, far more than a robot")
        if depth > MAX_DEPTH:
            raise RobotError(path, f"nests more than {MAX_DEPTH} elements, too deep for a robot")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def doctype(*_: object) -> None:
        raise RobotError(path, "has a DOCTYPE, which robot files have no use for; remove it")

    def entity(*_: object) -> NoReturn:
        raise RobotError(path, "declares or uses an XML entity; write the text out instead")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    parser.ExternalEntityRefHandler = entity
    parser.SkippedEntityHandler = entity
    try:
        parser.Parse(raw, True)
        return builder.close()
    except expat.ExpatError as error:
        raise RobotError(path, f"is not well-formed XML: {error}") from None
    except (UnicodeError, LookupError, ValueError) as error:
        if isinstance(error, RobotError):
            raise
        raise RobotError(path, f"is not well-formed XML: {error}") from None
