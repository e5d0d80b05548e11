"""The run folder: made once, held by one process, and resumed only by a run that continues it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from embodied.runs.configuration import differences
from embodied.runs.errors import UserError, explain_os_error
from embodied.runs.files import write_atomically
from embodied.runs.lock import RunLock

CONFIG = "config.yaml"
MAY_DIFFER = {
    "train": ("steps", "device", "threads"),
    "evolve": (
        "lifetimes",
        "workers",
        "device",
        "bucket_min",
        "bucket_max",
        "checkpoint_seconds",
        "patience",
        "memory",
    ),
    "imitate": ("steps", "threads", "update_threads"),
    "ase": ("steps", "threads", "update_threads"),
    "transfer": ("run", "tasks", "workers", "device", "checkpoint_seconds", "patience", "memory"),
}
"""Fields in which a resumed run may differ from what its folder says: totals, and what does the work."""


class RunFolder:
    """A folder with its lock held."""

    def __init__(self, path: Path, lock: RunLock, fresh: bool) -> None:
        self.path = path
        self.fresh = fresh
        """Whether the run begins here."""
        self._lock = lock

    @classmethod
    def open(cls, path: Path, kind: str, config: dict[str, Any], resume: bool) -> RunFolder:
        """Begins a run in a folder, or takes one up again.

        Args:
            path: made if it is not there; it may also be empty, or begun and without its configuration yet.
            kind: the command that the folder belongs to.
            config: plain data, complete.
            resume: whether what is there may be continued.

        Raises:
            UserError: the folder holds something else, a run without ``resume``, a run of another configuration, or
                one that is alive.
        """
        if path.exists() and not path.is_dir():
            raise UserError(f"{path} is a file; choose another folder with --out")
        config_file = path / CONFIG
        try:
            if not config_file.exists():
                path.mkdir(parents=True, exist_ok=True)
                strangers = [p.name for p in path.iterdir() if p.name != ".lock" and not p.name.endswith(".tmp")]
                if strangers:
                    raise UserError(f"{path} is not empty and no run (it holds {strangers[0]}); choose another --out")
                lock = RunLock(path)
                if config_file.exists():  # somebody was quicker
                    lock.release()
                    return cls.open(path, kind, config, resume)
                try:
                    write_atomically(config_file, yaml.safe_dump({"kind": kind, **config}, sort_keys=False))
                except BaseException:
                    lock.release()
                    raise
                return cls(path, lock, fresh=True)
        except OSError as error:
            raise UserError(explain_os_error(error)) from None
        if not resume:
            raise UserError(f"{path} already holds a run; continue it with --resume or choose another --out")
        lock = cls._lock_or_explain(path)
        try:
            stored = read_run_config(path)
            changed = [
                line
                for line in differences(stored, {"kind": kind, **config})
                if line.split(":")[0] not in MAY_DIFFER.get(kind, ())
            ]
            if changed:
                raise UserError(f"{path} belongs to a run with another configuration ({'; '.join(changed)})")
            if stored != {"kind": kind, **config}:
                write_atomically(config_file, yaml.safe_dump({"kind": kind, **config}, sort_keys=False))
        except BaseException:
            lock.release()
            raise
        return cls(path, lock, fresh=False)

    @staticmethod
    def _lock_or_explain(path: Path) -> RunLock:
        try:
            return RunLock(path)
        except OSError as error:
            raise UserError(explain_os_error(error)) from None

    def close(self) -> None:
        """Gives the folder free."""
        self._lock.release()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_run_config(path: Path) -> dict[str, Any]:
    """The stored configuration of a run, ``kind`` included.

    Raises:
        UserError: there is no run in the folder.
    """
    try:
        data = yaml.safe_load((path / CONFIG).read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} holds no run (there is no {CONFIG})") from None
    except OSError as error:
        raise UserError(f"{path / CONFIG} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise UserError(f"{path / CONFIG} is damaged: it is not YAML") from None
    if not isinstance(data, dict) or "kind" not in data or not all(isinstance(name, str) for name in data):
        raise UserError(f"{path / CONFIG} is no configuration of a run")
    return data
