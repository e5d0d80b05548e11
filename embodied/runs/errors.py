"""The error for people: a sentence that says what is wrong and what to do. Commands print it and exit with status 2."""

from __future__ import annotations

import errno


class UserError(Exception):
    """Something the person who gave the command can put right."""


def explain_os_error(error: OSError) -> str:
    """An operating system's refusal as a sentence."""
    where = f" {error.filename}" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"there is no space left to write{where}; free some, then go on with --resume: nothing written is lost"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"there is no permission to write{where}; choose another folder with --out, or change its permissions"
    return f"cannot write{where}: {error.strerror or error}"
