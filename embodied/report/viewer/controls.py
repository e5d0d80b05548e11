"""The panels: what is said of the sweep on the left; on the right the body, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import viser

from embodied.report.viewer.performance import SOURCES, Source
from embodied.report.viewer.sweep import Sweep

NUMBER = "Lifetime"
"""Label of the field that holds the number of the lifetime shown."""
PICK = (
    "const n=event.target.dataset.lifetime;"
    f"const f=[...document.querySelectorAll('label')].find(l=>l.textContent==='{NUMBER}');"
    "const i=n&&f&&document.getElementById(f.htmlFor);"
    "if(i){Object.getOwnPropertyDescriptor(HTMLInputElement.prototype,'value').set.call(i,n);"
    "i.dispatchEvent(new Event('input',{bubbles:true}))}"
)
"""What a click on a drawing does: as if the clicked lifetime's number had been typed, which viser tells the server."""
SPEEDS = (0.1, 4.0)
"""Slowest and fastest, in times of real time."""


@dataclass(frozen=True)
class Choose:
    """Show this lifetime."""

    lifetime: int


@dataclass(frozen=True)
class Follow:
    """Show the best, whichever it is, or stop doing so."""

    on: bool


@dataclass(frozen=True)
class Parent:
    """Show the parent of the one that is shown."""


@dataclass(frozen=True)
class Act:
    """Take actions from here."""

    source: Source


@dataclass(frozen=True)
class Restart:
    """Begin the episode again."""


@dataclass(frozen=True)
class Connected:
    """A browser has come."""


@dataclass(frozen=True)
class News:
    """The evolution has gone on."""

    sweep: Sweep


Wish = Choose | Follow | Parent | Act | Restart | Connected | News
Send = Callable[[Wish], None]
"""Called from the threads that viser answers clicks on."""


class SweepPanel:
    """The left panel."""

    def __init__(self, server: viser.ViserServer, title: str) -> None:
        """Empty as yet."""
        gui = server.gui
        panel = gui.add_panel()
        with panel.add_tab(title):
            self.notice = gui.add_html("", visible=False)
            self.figures = gui.add_html("")
            self.chart = gui.add_html("")
            self.tree = gui.add_html("")
            with gui.add_folder("Lifetimes in flight"):
                self.in_flight = gui.add_html("")
        panel.dock_left()
        panel.set_width(440)


class BodyPanel:
    """The right panel."""

    def __init__(self, server: viser.ViserServer, of_ledger: bool, send: Send) -> None:
        """With no body yet.

        Args:
            server: of the page.
            of_ledger: whether there are lifetimes to choose from.
            send: told what somebody wishes.
        """
        gui = server.gui
        self.heading = gui.add_html("")
        if of_ledger:
            self.number = gui.add_number(NUMBER, 0, min=0, max=0, step=1)
            self.follow = gui.add_checkbox("Follow the best", True)
            ways = gui.add_button_group("Go to", ("best", "parent", "previous", "next"))
            self._listen(self.number, lambda: send(Choose(int(self.number.value))))
            self._listen(self.follow, lambda: send(Follow(self.follow.value)))
            ways.on_click(lambda _: send(self._way(ways.value)))
        self.facts = gui.add_html("")
        self.notice = gui.add_html("", visible=False)
        with gui.add_folder("On the stage"):
            self.moment = gui.add_html("")
            self.playing = gui.add_checkbox("Playing", True)
            self.source = gui.add_dropdown("Action", SOURCES, initial_value="trained")
            self.speed = gui.add_slider("Speed ×", *SPEEDS, step=0.1, initial_value=1.0)
            restart = gui.add_button("Restart")
        self._listen(self.source, lambda: send(Act(self.source.value)))
        restart.on_click(lambda _: send(Restart()))
        gui.main_panel.dock_right()
        gui.main_panel.set_width(340)

    def _listen(self, handle: Any, told: Callable[[], None]) -> None:
        """Calls when a person changes it, not when the page itself does."""
        handle.on_update(lambda event: told() if event.client is not None else None)

    def _way(self, name: str) -> Wish:
        shown = int(self.number.value)
        match name:
            case "best":
                return Follow(True)
            case "parent":
                return Parent()
            case "previous":
                return Choose(shown - 1)
            case _:
                return Choose(shown + 1)

    def show_choice(self, lifetime: int, count: int, follows: bool) -> None:
        """Tells which of how many lifetimes is shown."""
        self.number.max = count - 1
        if self.number.value != lifetime:
            self.number.value = lifetime
        if self.follow.value != follows:
            self.follow.value = follows


def show(handle: viser.GuiHtmlHandle, content: str) -> None:
    """Changes what stands somewhere, if it is something else; nothing takes no room."""
    if handle.content != content:
        handle.content = content
    if handle.visible != bool(content):
        handle.visible = bool(content)
