"""The page's server: one port, the stage and the panels on it, until somebody stops it."""

from __future__ import annotations

import contextlib
import errno
import io
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from embodied.report.viewer.performance import Role
from embodied.report.viewer.sweep import Plan, Watch
from embodied.runs.errors import UserError
from embodied.runs.folder import read_run_config

if TYPE_CHECKING:
    import viser


def watch(run: Path, task: str, role: Role | None, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serves the page until it is interrupted.

    Args:
        run: its folder.
        task: its task's name.
        role: the one body that there is to show; None for an evolution.
        host, port: to listen on.
        ready: called with the page's address once it can be opened.

    Raises:
        UserError: viser is missing, the port is taken, or the run cannot be read.
        KeyboardInterrupt: somebody stopped it.
    """
    plan = plan_of(run) if role is None else None
    if plan is not None:
        Watch(run).look()  # what cannot be read is refused before a port is opened
    server = open_server(host, port)
    from embodied.report.viewer.controls import SweepPanel  # only now: these import viser
    from embodied.report.viewer.director import Director
    from embodied.report.viewer.reporter import Reporter

    reporter = None
    try:
        server.gui.configure_theme(show_logo=False, show_share_button=False, brand_color=(63, 127, 146))
        server.gui.set_panel_label("Body")
        director = Director(server, role, run, task)
        if plan is not None:
            panel = SweepPanel(server, f"Evolution · {run.resolve().name}")
            watched = lambda: bool(server.get_clients())  # noqa: E731
            reporter = Reporter(run, plan, panel, director.inbox.put, lambda: director.chosen, watched)
            reporter.start()
        name = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
        ready(f"http://{name}:{server.get_port()}")
        director.direct()
    finally:
        if reporter is not None:
            reporter.close()
        with contextlib.redirect_stdout(io.StringIO()):
            server.stop()


def plan_of(run: Path) -> Plan:
    """What an evolution is to be.

    Raises:
        UserError: its configuration does not say.
    """
    config = read_run_config(run)
    numbers = [n for name in ("lifetimes", "population", "steps") if isinstance(n := config.get(name), int) and n > 0]
    if len(numbers) != 3:
        raise UserError(f"{run / 'config.yaml'} is damaged: it does not say how many lifetimes of how many steps")
    return Plan(*numbers)


def open_server(host: str, port: int) -> viser.ViserServer:
    """A viser server on this port and no other.

    Args:
        host: to listen on.
        port: 0 for any free one.

    Raises:
        UserError: viser is missing, or the port is not to be had.
    """
    try:
        import viser
    except ImportError:
        raise UserError("watching needs viser, which is missing here: pip install 'embodied[view]'") from None
    refuse_taken(host, port)
    with contextlib.redirect_stdout(io.StringIO()):  # its banner; ours says more
        server = viser.ViserServer(host=host, port=port, verbose=False)
    if port and server.get_port() != port:  # somebody was quicker
        server.stop()
        raise _taken(host, port)
    return server


def refuse_taken(host: str, port: int) -> None:
    """Raises UserError where nobody may listen: viser would quietly take the next port."""
    if not 0 <= port <= 65535:
        raise UserError(f"--port must be from 0 to 65535, not {port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise UserError(f"--host {host!r} is no address of this machine; try 127.0.0.1, or 0.0.0.0 for all") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            raise UserError(f"there is no permission to listen on port {port}; choose one above 1023") from None
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise UserError(f"--host {host!r} is no address of this machine; try 127.0.0.1") from None
            raise _taken(host, port) from None


def _taken(host: str, port: int) -> UserError:
    return UserError(f"port {port} of {host} is in use; choose another with --port, or --port 0 for any free one")
