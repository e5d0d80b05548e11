"""Checkpoints: safetensors and JSON with checksums, written whole, read without ever running code."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from embodied.runs.errors import UserError
from embodied.runs.files import sync_folder, write_atomically

VERSION = 1
KEPT = 2
"""How many of the latest checkpoints stay: the newest, and one to fall back on."""


def save_checkpoint(folder: Path, step: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
    """Writes ``folder/<step>`` and removes all but the latest ones.

    The manifest, with the checksum of the tensors, is written last into a temporary folder that is then renamed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".*.tmp"):  # of a process that died while writing; the run's lock keeps others out
        shutil.rmtree(left, ignore_errors=True)
    final, temporary = folder / f"{step:012d}", folder / f".{step:012d}.{os.getpid()}.tmp"
    temporary.mkdir()
    try:
        data = safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()})
        write_atomically(temporary / "tensors.safetensors", data)
        manifest = {"version": VERSION, "step": step, "sha256": hashlib.sha256(data).hexdigest(), "facts": dict(facts)}
        write_atomically(temporary / "manifest.json", json.dumps(manifest))
        shutil.rmtree(final, ignore_errors=True)
        temporary.replace(final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(folder)
    for old in _steps(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return final


class NewerCheckpoint(UserError):
    """Written by a newer version than reads it: nothing is wrong with it."""


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of one checkpoint.

    Raises:
        UserError: it is cut short, altered, or from a newer version; the message names the file.
    """
    manifest_file, tensor_file = path / "manifest.json", path / "tensors.safetensors"
    try:
        manifest = json.loads(manifest_file.read_text())
        version, digest, facts = int(manifest["version"]), manifest["sha256"], manifest["facts"]
    except OSError as error:
        raise UserError(f"{manifest_file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{manifest_file} is damaged: it is no checkpoint's manifest") from None
    if version > VERSION:
        raise NewerCheckpoint(f"{path} was written by a newer version of embodied; upgrade to read it")
    try:
        data = tensor_file.read_bytes()
    except OSError as error:
        raise UserError(f"{tensor_file} cannot be read: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise UserError(f"{tensor_file} is damaged: its checksum does not match its manifest")
    try:
        return safetensors.torch.load(data), facts
    except SafetensorError as error:
        raise UserError(f"{tensor_file} is damaged: {error}") from None


def latest_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The newest checkpoint that can be read, or None where there is none at all.

    Raises:
        UserError: there are checkpoints, and none can be read, or the newest one only by a newer version.
    """
    problem = None
    for path in reversed(_steps(folder)):
        try:
            return load_checkpoint(path)
        except NewerCheckpoint:
            raise
        except UserError as error:
            problem = problem or error
    if problem:
        raise problem
    return None


def _steps(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir())
