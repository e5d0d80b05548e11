"""Configurations: frozen dataclasses to and from plain data, and the named presets that fill them."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml

from embodied.runs.errors import UserError

Config = TypeVar("Config")


def to_plain(config: Any) -> dict[str, Any]:
    """A dataclass as nested dictionaries and lists that YAML and JSON hold."""
    return {
        field.name: to_plain(value) if dataclasses.is_dataclass(value) else _plain_value(value)
        for field in dataclasses.fields(config)
        for value in [getattr(config, field.name)]
    }


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain_value(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(kind: type[Config], data: Any, where: str, default: Config | None = None) -> Config:
    """A dataclass from plain data; fields that are not there keep their value in ``default``.

    Raises:
        UserError: an unknown field or a value of another type, named with the close ones and ``where`` it stands.
    """
    if not isinstance(data, dict):
        raise UserError(f"{where}: expected named fields, found {data!r:.60}")
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    values = {}
    for name, value in data.items():
        if name not in names:
            close = difflib.get_close_matches(str(name), names, n=3)
            hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(names)}"
            raise UserError(f"{where}: there is no field {name!r}; {hint}")
        inner = getattr(default, name) if default is not None else None
        values[name] = _typed(hints[name], value, f"{where}: {name}", inner)
    return dataclasses.replace(default, **values) if default is not None else kind(**values)  # type: ignore[type-var]


def _typed(kind: Any, value: Any, where: str, default: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        return from_plain(kind, value, where, default)  # type: ignore[arg-type]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _typed(next(a for a in arguments if a is not type(None)), value, where, default)
    if origin is typing.Literal:
        if value not in arguments:
            raise UserError(f"{where} must be one of {', '.join(map(str, arguments))}, not {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise UserError(f"{where} must be a list, not {value!r}")
        return tuple(_typed(arguments[0], item, where, None) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is float and isinstance(value, str):
        try:
            return float(value)  # YAML takes 3e-4 for text
        except ValueError:
            pass
    if kind is Path and isinstance(value, str):
        return Path(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UserError(f"{where} must be of type {kind.__name__}, not {value!r}")
    return value


def preset_folder() -> Path:
    """Where presets lie: inside an installed wheel, or in the checkout's ``launch``."""
    installed = Path(str(resources.files("embodied"))) / "_presets"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "launch" / "presets"


def preset_names(command: str) -> list[str]:
    """Names of the presets for a command."""
    return sorted(path.stem for path in (preset_folder() / command.replace(" ", "-")).glob("*.yaml"))


def find_preset(command: str, preset: str) -> Path:
    """The file of a preset given by name or path.

    Raises:
        UserError: neither is there; with the close names.
    """
    if Path(preset).suffix in (".yaml", ".yml"):
        return Path(preset)
    names = preset_names(command)
    if preset not in names:
        close = difflib.get_close_matches(preset, names, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(names) or 'none'}"
        raise UserError(f"there is no preset {preset!r} for {command}; {hint}")
    return preset_folder() / command.replace(" ", "-") / f"{preset}.yaml"


def read_config(kind: type[Config], path: Path, default: Config) -> Config:
    """The default with the fields of a YAML file put in.

    Raises:
        UserError: the file is missing, not YAML, or does not fit; the message names it.
    """
    try:
        data = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is not YAML: {str(error).splitlines()[0]}") from None
    if isinstance(data, dict):
        data.pop("kind", None)  # a run's own config.yaml names its command
    return from_plain(kind, data or {}, str(path), default)


def require_positive(config: Any, *names: str) -> None:
    """Raises UserError for the first named field that is given and below 1; ``ppo.epochs`` is a field of a field."""
    for name in names:
        value = config
        for part in name.split("."):
            value = getattr(value, part)
        if value is not None and value < 1:
            raise UserError(f"--{name.replace('_', '-')} must be at least 1, not {value}")


def differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """The fields in which two plain configurations differ, as ``name: old -> new``."""
    found = []
    for name in sorted(old.keys() | new.keys()):
        before, now = old.get(name), new.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            found += differences(before, now, f"{prefix}{name}.")
        elif before != now:
            found.append(f"{prefix}{name}: {before!r} -> {now!r}")
    return found
