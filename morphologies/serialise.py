"""Genomes as JSON: strict reading, canonical writing, and the fingerprint that names a body plan."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from morphologies.genome import Genome, GenomeError, Hinge, Limb, canonical

FORMAT = "embodied.genome"
VERSION = 1
MAX_BYTES = 1 << 20
"""A genome of ten limbs is about 2 KB; anything near this size is not a genome."""


def to_json(genome: Genome, *, indent: int | None = None) -> str:
    """The genome as JSON text; lengths in m, angles in degrees, densities in kg/m³."""
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "head_density": genome.head_density,
            "limb_density": genome.limb_density,
            "limbs": [_limb_out(limb) for limb in genome.limbs],
        },
        indent=indent,
    )


def from_json(text: str) -> Genome:
    """Reads what `to_json` wrote. Types and names are checked here, values by ``DesignSpace.check``.

    Raises:
        GenomeError: not JSON, not a genome, a newer version, an unknown, missing or ill-typed field.
    """
    if len(text) > MAX_BYTES:
        raise GenomeError(f"is {len(text)} characters long; a genome has at most {MAX_BYTES}")
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except GenomeError:
        raise
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
        raise GenomeError(f"is not JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise GenomeError(f'is not a genome: its "format" must be "{FORMAT}"')
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise GenomeError(f'"version" must be a whole number from 1, not {version!r}')
    if version > VERSION:
        raise GenomeError(f"has version {version}, newer than the {VERSION} this library reads; upgrade embodied")
    try:
        _fields(data, "genome", {"format", "version", "head_density", "limb_density", "limbs"})
        return Genome(
            head_density=_int(data, "head_density", "genome"),
            limb_density=_int(data, "limb_density", "genome"),
            limbs=tuple(_limb_in(item, f"limbs[{i}]") for i, item in enumerate(_list(data, "limbs", "genome"))),
        )
    except RecursionError:
        raise GenomeError("nests limbs too deeply") from None


def read_genome(path: str | Path) -> Genome:
    """Reads a genome file; errors name the file.

    Raises:
        GenomeError: the file is missing, unreadable, not text, or not a genome.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        return from_json(raw.decode("utf-8"))
    except OSError as error:
        raise GenomeError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise GenomeError(f"{path}: is not UTF-8 text") from None
    except GenomeError as error:
        raise GenomeError(f"{path}: {error}") from None


def fingerprint(genome: Genome) -> str:
    """Sixteen hexadecimal digits that two genomes share exactly when they are the same body plan."""
    return hashlib.sha256(to_json(canonical(genome)).encode()).hexdigest()[:16]


def _limb_out(limb: Limb) -> dict[str, Any]:
    return {
        "site": limb.site,
        "theta": limb.theta,
        "phi": limb.phi,
        "height": limb.height,
        "mirrored": limb.mirrored,
        "hinges": [{"axis": h.axis, "range": list(h.range), "gear": h.gear} for h in limb.hinges],
        "limbs": [_limb_out(child) for child in limb.limbs],
    }


def _limb_in(data: Any, where: str) -> Limb:
    _fields(data, where, {"site", "theta", "phi", "height", "mirrored", "hinges", "limbs"})
    if not isinstance(data["mirrored"], bool):
        raise GenomeError(f'{where}: "mirrored" must be true or false, not {data["mirrored"]!r}')
    height = data["height"]
    if not isinstance(height, int | float) or isinstance(height, bool) or abs(height) > 1e6:
        raise GenomeError(f'{where}: "height" must be a number of metres, not {height!r:.60}')
    return Limb(
        site=_choice(data, "site", where, ("head", "middle", "end")),
        theta=_int(data, "theta", where),
        phi=_int(data, "phi", where),
        height=float(height),
        mirrored=data["mirrored"],
        hinges=tuple(_hinge_in(h, f"{where}.hinges[{i}]") for i, h in enumerate(_list(data, "hinges", where))),
        limbs=tuple(_limb_in(c, f"{where}.limbs[{i}]") for i, c in enumerate(_list(data, "limbs", where))),
    )


def _hinge_in(data: Any, where: str) -> Hinge:
    _fields(data, where, {"axis", "range", "gear"})
    limits = _list(data, "range", where)
    if len(limits) != 2 or not all(_is_int(x) for x in limits):
        raise GenomeError(f'{where}: "range" must be two whole numbers of degrees, not {limits!r:.60}')
    return Hinge(
        axis=_choice(data, "axis", where, ("x", "y")), range=(limits[0], limits[1]), gear=_int(data, "gear", where)
    )


def _fields(data: Any, where: str, names: set[str]) -> None:
    if not isinstance(data, dict):
        raise GenomeError(f"{where}: must be an object, not {data!r:.60}")
    for name in sorted(names - data.keys()):
        raise GenomeError(f'{where}: "{name}" is missing')
    for name in sorted(data.keys() - names):
        raise GenomeError(f'{where}: has an unknown field "{name}"')


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _int(data: dict[str, Any], name: str, where: str) -> int:
    if not _is_int(data[name]):
        raise GenomeError(f'{where}: "{name}" must be a whole number, not {data[name]!r:.60}')
    return data[name]


def _list(data: dict[str, Any], name: str, where: str) -> list[Any]:
    if not isinstance(data[name], list):
        raise GenomeError(f'{where}: "{name}" must be a list, not {data[name]!r:.60}')
    return data[name]


def _choice(data: dict[str, Any], name: str, where: str, choices: tuple[str, ...]) -> Any:
    if data[name] not in choices:
        raise GenomeError(f'{where}: "{name}" must be one of {", ".join(choices)}, not {data[name]!r:.60}')
    return data[name]


def _no_constant(name: str) -> float:
    raise GenomeError(f"holds {name}, which is not a number a body can have")
