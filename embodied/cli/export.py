"""``embodied export``: a trained policy as a bundle; a body as files that others simulate, look at and build from."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from tyro.conf import Positional

from embodied.cli.actors import Given, resolve
from embodied.cli.arguments import parse
from embodied.cli.export_bundle import check, is_policy, write_bundle
from embodied.evolution.ledger import Ledger, genome_of
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.folder import read_run_config
from morphologies import Body, body_from_genome, body_names, find_body
from morphologies.fabricate import FORMAT, PARTS, FabricationError, Parts, fabricate

MOST = 1 << 24
"""Bytes of a parts list that is looked into; a robot of a thousand links has a tenth of it."""


@dataclass(frozen=True)
class Export:
    """Hand a trained policy over as a bundle, or write a body out as MJCF, URDF, meshes and a parts list."""

    subject: Positional[str] = ""
    """Genome file, name of a body, robot's file, or a run: an evolution, whose best body is taken, a lifetime's folder
    of it, or a training."""
    out: Path | None = None
    """Folder that is made, or one that holds an earlier export, whose files are replaced."""
    lifetime: int | None = None
    """Number of the lifetime whose body is taken, where the run is an evolution."""
    asset_root: Path | None = None
    """Folder that all files of a robot must lie in; by default its ROS package, or its own folder."""
    what: Literal["body", "policy"] | None = None
    """What is written: of a training by default its policy, of everything else the body."""
    licence: str = "not stated"
    """Under which a bundle is given."""


def run(arguments: list[str]) -> None:
    """The command."""
    if arguments[:1] == ["check"]:
        check(arguments[1:])
        return
    given = parse("export", Export, arguments, (Export.__doc__ or "").strip())
    if not given.subject:
        raise UserError("say what to export: embodied export GENOME_OR_RUN --out FOLDER")
    if given.out is None:
        raise UserError(f"name the folder to write: embodied export {given.subject} --out FOLDER")
    if given.what == "policy" or (given.what is None and given.lifetime is None and is_policy(given.subject)):
        write_bundle(given.subject, given.out, given.licence)
        return
    written_before = _refuse_strangers(given.out)
    body = body_of(given)
    print(f"Writing {body.name} out into {given.out}", flush=True)
    try:
        made = fabricate(body)
    except FabricationError as error:
        raise UserError(str(error)) from None
    _write(given.out, made.files, written_before)
    if made.notes:
        print("What does not come along:\n" + "\n".join(f"  - {note}" for note in made.notes))
    print(_summary(made.parts))
    mjcf, urdf = (next(path for path in made.files if path.endswith(suffix)) for suffix in (".xml", ".urdf"))
    for what, path in (("MJCF", mjcf), ("URDF", urdf), ("Meshes", "meshes"), ("To look at", f"{made.name}.glb")):
        print(f"{what.ljust(10)}  {given.out / path}")
    print(f"{'Parts'.ljust(10)}  {given.out / 'parts.md'}")


def body_of(given: Export) -> Body:
    """The body that is meant.

    Raises:
        UserError: a folder that holds no run, a run without such a body, or a lifetime where there are none.
        UnknownBody, GenomeError, RobotError: see `find_body`.
    """
    path = Path(given.subject)
    holds_run = (path / "config.yaml").exists() or (path / "genome.json").exists()
    if not holds_run and (given.subject in body_names() or not path.is_dir()):
        if given.lifetime is not None:
            raise UserError(f"--lifetime is for evolutions; {given.subject} is a body by itself")
        return find_body(given.subject, asset_root=given.asset_root)
    kind = None if (path / "genome.json").exists() else read_run_config(path)["kind"]
    if given.lifetime is not None:
        if kind != "evolve":
            raise UserError(f"--lifetime is for evolutions, which {path} is none of")
        return _lifetime(path, given.lifetime)
    if kind == "transfer":
        raise UserError(f"{path} holds a transfer, which has many bodies; name the folder of one of its lifetimes")
    found = resolve(Given(), path)
    if found.body is None:
        raise UserError(f"{path} was trained on {found.task}, whose body is its own and not read here")
    return found.body


def _lifetime(run: Path, number: int) -> Body:
    file = run / "ledger.sqlite"
    if not file.exists():
        raise UserError(f"{run} holds no ledger yet: the evolution has not begun")
    with closing(Ledger(file, readonly=True)) as ledger:
        rows = {row["id"]: row for row in ledger.lifetimes()}
    if number not in rows:
        span = f"{min(rows)} to {max(rows)}" if rows else "none yet"
        raise UserError(f"{run} has no lifetime {number}; it has {span}")
    return body_from_genome(genome_of(rows[number]), f"lifetime {number:06d}")


def _refuse_strangers(folder: Path) -> list[str]:
    """Paths within a folder that an earlier export wrote.

    Raises:
        UserError: it is a file, or holds anything but an export.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another folder with --out")
    if not folder.is_dir() or not any(folder.iterdir()):
        return []
    try:
        with (folder / PARTS).open("rb") as file:
            listed = json.loads(file.read(MOST))
        if listed["format"] == FORMAT:
            return [path for path in listed["files"] if isinstance(path, str)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise UserError(f"{folder} is not empty and no earlier export of a body; choose another --out")


def _write(folder: Path, files: dict[str, bytes], before: list[str]) -> None:
    """Writes all files, the list of them first and last, so that a folder half written is still known as an export."""
    stale = [path for path in before if path not in files and _is_inside(folder, path)]
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / PARTS, json.dumps({"format": FORMAT, "files": sorted({*files, *stale})}))
    for path, content in files.items():
        if path != PARTS:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / path, content)
    for path in stale:
        (folder / path).unlink(missing_ok=True)
    write_atomically(folder / PARTS, files[PARTS])


def _is_inside(folder: Path, path: str) -> bool:
    """Whether a path of an earlier list is a file that an export may have written."""
    parts = PurePosixPath(path).parts
    plain = 1 <= len(parts) <= 2 and not PurePosixPath(path).is_absolute() and ".." not in parts
    real = (folder / path).parent.resolve()
    return plain and real.is_relative_to(folder.resolve()) and (folder / path).is_file()


def _summary(parts: Parts) -> str:
    volume = sum(link.volume for link in parts.links)
    return (
        f"{len(parts.links)} links of {parts.mass:.2f} kg, {len(parts.joints)} joints, {len(parts.motors)} motors, "
        f"{1e3 * volume:.2f} litres to print"
    )
