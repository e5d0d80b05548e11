"""The page itself: its head and links around the content, its style and script within it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from importlib import resources


def document(title: str, head: str, parts: Sequence[tuple[str, str]], content: str) -> str:
    """One HTML page that needs nothing but itself.

    Args:
        title: of the window.
        head: HTML before the links.
        parts: identifiers of the content's sections, and what their links say.
        content: HTML of the sections.
    """
    links = "".join(f'<a href="#{name}">{escape(words)}</a>' for name, words in parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_asset('page.css')}</style></head><body>"
        f'{head}<nav aria-label="Parts"><div class="inner">{links}</div></nav><main>{content}</main>'
        f"<footer>Written by embodied on {datetime.now():%Y-%m-%d at %H:%M}. How each figure is computed stands in "
        "docs/report.md. The pictures lie beside this page as PNG files.</footer>"
        '<dialog id="large" aria-label="The picture, large"><img alt=""></dialog>'
        f"<script>{_asset('page.js')}</script></body></html>\n"
    )


def _asset(name: str) -> str:
    return resources.files("embodied.report.page").joinpath(name).read_text()
