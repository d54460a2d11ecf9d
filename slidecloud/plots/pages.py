"""Pages for people: one HTML file with its tables and pictures inside."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1150px;margin:2rem auto;padding:0 1rem;color:#222}"
    "img{max-width:100%;height:auto}table{border-collapse:collapse;margin:1rem 0}"
    "td,th{padding:.2rem 1.2rem .2rem 0;border-bottom:1px solid #ddd}th{font-weight:600;text-align:left}"
    "td+td,th+th{text-align:right}pre{background:#f4f4f4;padding:.8rem;overflow:auto}h1,h2{font-weight:600}"
    "p.note{color:#555}"
)


def table(rows: Iterable[Sequence[str]], *, header: Sequence[str] = ()) -> str:
    """A table of texts; all but the first column are set to the right."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def picture(path: Path, *, alt: str) -> str:
    """A PNG file as part of the page."""
    content = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{content}">'


def write(path: Path, *, title: str, body: str) -> Path:
    """Write a page whole or not at all; ``body`` is HTML."""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>slidecloud: {html.escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{html.escape(title)}</h1>{body}</body></html>\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return path
