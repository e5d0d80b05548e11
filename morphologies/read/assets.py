"""Assets: what a robot file refers to, as bytes in memory, and never anything outside its asset root."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from morphologies.read.errors import RobotError
from morphologies.read.meshes import READABLE, converted

MAX_FILE = 128 << 20
"""Bytes of one asset."""
MAX_TOTAL = 512 << 20
"""Bytes of all assets of one robot."""
PACKAGE = "package.xml"
"""Marks the folder of a ROS package."""


def asset_root_of(path: Path, given: Path | None = None) -> Path:
    """The folder that a robot's assets must lie in, links followed.

    That is the one given, or the nearest ROS package around the file, or the file's own folder.

    Raises:
        RobotError: the folder given is none, or the file lies outside it.
    """
    real = path.resolve()
    if given is not None:
        root = Path(given).resolve()
        if not root.is_dir():
            raise RobotError(given, "is no folder, so it cannot be an asset root")
        if not real.is_relative_to(root):
            raise RobotError(path, f"lies outside the asset root {given}")
        return root
    return next((folder for folder in real.parents if (folder / PACKAGE).is_file()), real.parent)


class Assets:
    """Collects files under names of its own: the engine then reads nothing from the disk."""

    def __init__(self, path: Path, root: Path) -> None:
        """The robot file and its asset root."""
        self._path = path
        self._root = root
        self._names: dict[Path, str] = {}
        self._total = 0
        self.files: dict[str, bytes] = {}
        """Contents by name."""

    def resolve(self, reference: str, folders: list[Path], what: str) -> Path:
        """The file that a reference means, links followed.

        Args:
            reference: as written in the file: a path or a ``package://`` URI.
            folders: where relative paths may start, the first that has the file wins.
            what: is named in errors, e.g. "mesh".

        Raises:
            RobotError: it is not there, no regular file, or outside the asset root.
        """
        if "\0" in reference or not reference.strip():
            raise RobotError(self._path, f"{what} has an empty file name")
        candidates = [candidate.resolve() for candidate in self._candidates(reference, folders, what)]
        inside = [candidate for candidate in candidates if candidate.is_relative_to(self._root)]
        if found := next((candidate for candidate in inside if candidate.is_file()), None):
            return found
        if not inside or any(candidate.exists() for candidate in candidates if candidate not in inside):
            raise RobotError(
                self._path,
                f"{what} {reference!r} lies outside the asset root {self._root}; move it inside, or widen the root "
                "with --asset-root",
            )
        if any(candidate.exists() for candidate in inside):
            raise RobotError(self._path, f"{what} {reference!r} is no regular file")
        hint = "; name the folder that holds the package with --asset-root" if "://" in reference else ""
        raise RobotError(
            self._path,
            f"{what} {reference!r} is not there; looked for {' and '.join(map(str, dict.fromkeys(inside)))}{hint}",
        )

    def _candidates(self, reference: str, folders: list[Path], what: str) -> list[Path]:
        scheme, separator, rest = reference.partition("://")
        if not separator:
            return [folder / reference for folder in folders]
        if scheme == "file":
            return [Path(unquote(rest))]
        if scheme in ("package", "model"):
            package, _, inner = unquote(rest).partition("/")
            # The root is the package itself, or a folder of packages.
            return [self._root / package / inner, self._root / inner]
        raise RobotError(
            self._path,
            f"{what} {reference!r} has the scheme {scheme}://, of which only package:// and file:// are read",
        )

    def add(self, file: Path, what: str, mesh: bool = False) -> str:
        """Takes a resolved file in and returns its name; meshes that the engine cannot read are converted.

        Raises:
            RobotError: too large, unreadable, or a mesh that cannot be converted.
        """
        if file in self._names:
            return self._names[file]
        try:
            size = file.stat().st_size
            self._total += size
            if size > MAX_FILE or self._total > MAX_TOTAL:
                limit = f"{MAX_FILE >> 20} MB" if size > MAX_FILE else f"{MAX_TOTAL >> 20} MB with the files before it"
                raise RobotError(self._path, f"{what} {file.name} is larger than {limit}")
            content = file.read_bytes()
        except OSError as error:
            raise RobotError(self._path, f"{what} {file} cannot be read: {error.strerror or error}") from None
        suffix = file.suffix.lower()
        if mesh and suffix not in READABLE:
            try:
                content, suffix = converted(content, suffix), ".stl"
            except Exception as error:  # of whichever reader trimesh chose
                raise RobotError(self._path, f"{what} {file.name} cannot be converted: {error}") from None
        name = f"{len(self.files)}{suffix}"
        self._names[file] = name
        self.files[name] = content
        return name
