"""The manifest: what a bundle says of itself, the schema it is held to, and the checksums that tie its files together.

``manifest.json`` lists every file but two with its checksum; ``SHA256SUMS`` lists them and the manifest, in the form
that ``sha256sum --check`` reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

from embodied.export.consistency import refuse_inconsistent
from embodied.export.errors import BundleError

FORMAT, VERSION = "embodied.bundle", 1
MANIFEST, SCHEMA, SUMS = "manifest.json", "manifest.schema.json", "SHA256SUMS"
MOST = 1 << 26
"""Bytes of one file."""
LARGEST = 1e30
"""Magnitude of a number; single precision goes a little further."""


def is_bundle(folder: Path) -> bool:
    """Whether a folder looks like a bundle, whole or damaged: whether it has its manifest or its checksums."""
    return (folder / MANIFEST).is_file() or (folder / SUMS).is_file()


def schema_text() -> str:
    """The published JSON schema of manifests."""
    return (resources.files("embodied.export") / SCHEMA).read_text(encoding="utf-8")


def described(content: bytes) -> dict[str, Any]:
    """What a manifest says of a file."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def finished(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a bundle with its manifest and checksums.

    Args:
        manifest: without ``files``, which is filled in here.
        files: contents by path within the bundle.
    """
    whole = {**manifest, "files": {path: described(content) for path, content in sorted(files.items())}}
    text = (json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    refuse_unfit(whole, "the new manifest")
    sums = {path: described(content)["sha256"] for path, content in {**files, MANIFEST: text}.items()}
    return {**files, MANIFEST: text, SUMS: _sums(sums)}


def _sums(by_path: Mapping[str, str]) -> bytes:
    return "".join(f"{by_path[path]}  {path}\n" for path in sorted(by_path)).encode()


def read_bundle(folder: Path) -> tuple[dict[str, Any], dict[str, bytes], list[str]]:
    """The manifest of a bundle, all files it lists, and the paths of files that it does not.

    Raises:
        BundleError: something is missing, cut short, changed, from a newer version, or not as the schema says.
    """
    if not folder.is_dir():
        raise BundleError(folder, "there is no such folder")
    manifest = _parsed(_content(folder, MANIFEST), folder / MANIFEST)
    files = {path: _content(folder, path) for path in _paths(manifest, folder)}
    for path, content in files.items():
        if described(content) != manifest["files"][path]:
            raise BundleError(folder / path, "is not as it was written: its checksum is not the manifest's")
    refuse_unfit(manifest, str(folder / MANIFEST))
    refuse_inconsistent(manifest, str(folder / MANIFEST))
    text = _content(folder, MANIFEST)
    sums = {path: described(content)["sha256"] for path, content in {**files, MANIFEST: text}.items()}
    if _content(folder, SUMS) != _sums(sums):
        raise BundleError(folder, f"is not as it was written: {MANIFEST} and {SUMS} do not belong together")
    known = {*files, MANIFEST, SUMS}
    there = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    others = [path for path in there if path.as_posix() not in known and "__pycache__" not in path.parts]
    return manifest, files, [path.as_posix() for path in others]


def _content(folder: Path, path: str) -> bytes:
    file = folder / path
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise BundleError(file, "lies outside of the bundle")
        if file.exists() and not file.is_file():
            raise BundleError(file, "cannot be read: it is no file")  # a pipe would be waited for
        size = file.stat().st_size
        if size > MOST:
            raise BundleError(file, f"is larger than {MOST >> 20} MB, more than any part of a bundle")
        return file.read_bytes()
    except FileNotFoundError:
        raise BundleError(file, "is missing") from None
    except OSError as error:
        raise BundleError(file, f"cannot be read: {error.strerror or error}") from None


def _parsed(text: bytes, file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_number)
    except (ValueError, RecursionError) as error:
        raise BundleError(file, f"is damaged or cut short: it is not JSON ({error})") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleError(file, f"is no manifest of a bundle: its format is not {FORMAT!r}")
    version = manifest.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BundleError(file, f"has the version {version!r}; expected a whole number of at least 1")
    if version > VERSION:
        raise BundleError(
            file,
            f"has version {version}, written by a newer version of embodied; this one reads up to {VERSION}: upgrade",
        )
    return manifest


def _number(text: str) -> int | float:
    """A number of a manifest; ValueError for what is none, or beyond what networks reckon with."""
    value = float(text)
    if not abs(value) <= LARGEST:
        raise ValueError(f"{text:.20} is no number, or beyond all bounds")
    return int(text) if text.lstrip("-").isdecimal() else value


def _paths(manifest: Mapping[str, Any], folder: Path) -> list[str]:
    files = manifest.get("files")
    if not isinstance(files, dict) or not files:
        raise BundleError(folder / MANIFEST, "lists no files")
    for path in files:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or "\\" in path or path in (MANIFEST, SUMS):
            raise BundleError(folder / MANIFEST, f"lists {path!r}, which is no path of a file within a bundle")
    return list(files)


def refuse_unfit(manifest: Mapping[str, Any], where: str) -> None:
    """Raises BundleError for a manifest that the schema does not allow, naming the first place."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(json.loads(schema_text())).iter_errors(manifest))
    if error is not None:
        place = error.json_path.removeprefix("$").lstrip(".") or "the whole"
        raise BundleError(where, f"is not as its schema says: {place}: {error.message[:300]}")
