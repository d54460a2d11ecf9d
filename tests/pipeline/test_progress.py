"""Progress: what a person sees on a terminal and in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from slidecloud.pipeline.progress import PlainProgress, RichProgress, Silent, duration, megabytes, progress_for


def _console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=terminal, width=140, color_system=None), stream


def test_the_bar_shows_units_share_rate_and_messages_above() -> None:
    console, stream = _console(terminal=True)
    shown = RichProgress(console)
    shown.start(units=4, bytes=4_000_000, label="run")
    shown.advance(unit="a", bytes=1_000_000)
    shown.message("Dashboard: http://127.0.0.1:8787")
    shown.advance(unit="b", bytes=1_000_000)
    shown.stop()
    text = stream.getvalue()
    for part in ("run", "50%", "2/4 units", "MB/s", "units/s", "Dashboard: http://127.0.0.1:8787"):
        assert part in text
    assert text.index("Dashboard") < text.rindex("2/4 units")


def test_the_bar_is_full_exactly_when_all_units_are_finished() -> None:
    """Units that moved more or less than planned neither fill the bar early nor leave it short."""
    console, _ = _console(terminal=True)
    shown = RichProgress(console)
    shown.start(units=3, bytes=300, label="run")
    shares = []
    for moved in (290, 50, 0):
        shown.advance(unit="a", bytes=moved)
        assert shown._bar is not None
        shares.append(shown._bar.tasks[0].percentage)
    shown.stop()
    assert shares[0] < shares[2] == 100
    assert shares[1] < 100


@pytest.mark.parametrize("kind", [RichProgress, PlainProgress])
def test_units_without_bytes_count_as_units(kind: type[RichProgress] | type[PlainProgress]) -> None:
    console, stream = _console(terminal=True)
    shown = kind(console)
    shown.start(units=2, bytes=0, label="verify")
    shown.advance(unit="a", bytes=5)
    shown.stop()
    assert "50%" in stream.getvalue()


@pytest.mark.parametrize("kind", [RichProgress, PlainProgress])
def test_nothing_to_do_shows_nothing(kind: type[RichProgress] | type[PlainProgress]) -> None:
    console, stream = _console(terminal=True)
    shown = kind(console)
    shown.start(units=0, bytes=0, label="run")
    shown.stop()
    shown.stop()
    assert stream.getvalue() == ""


def test_a_log_gets_plain_lines() -> None:
    console, stream = _console(terminal=False)
    shown = PlainProgress(console, interval=0.0)
    shown.start(units=2, bytes=3_000_000, label="ingest")
    shown.advance(unit="a", bytes=1_500_000)
    shown.message("pair 1 [failed], trying again")
    shown.advance(unit="b", bytes=1_500_000)
    shown.stop()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "ingest: 2 units, 3 MB"
    assert lines[1].startswith("ingest: 1/2 units, 50%")
    assert lines[2] == "pair 1 [failed], trying again"
    assert lines[3].startswith("ingest: 2/2 units, 100%")
    assert lines[3].endswith("0 s left")
    assert len(lines) == 4


def test_a_log_ends_with_how_far_it_came() -> None:
    console, stream = _console(terminal=False)
    shown = PlainProgress(console, interval=3600.0)
    shown.start(units=9, bytes=0, label="run")
    shown.advance(unit="a", bytes=0)
    shown.advance(unit="b", bytes=0)
    shown.stop()
    assert stream.getvalue().splitlines()[-1].startswith("run: 2/9 units")


def test_the_place_decides_the_kind() -> None:
    assert isinstance(progress_for(_console(terminal=True)[0]), RichProgress)
    assert isinstance(progress_for(_console(terminal=False)[0]), PlainProgress)


def test_silence() -> None:
    shown = Silent()
    shown.start(units=1, bytes=1, label="run")
    shown.advance(unit="a", bytes=1)
    shown.message("nothing")
    shown.stop()


def test_amounts() -> None:
    assert [megabytes(n) for n in (1500, 2.5e6, 3e9, 4.25e12)] == ["1.5 kB", "2.5 MB", "3 GB", "4.25 TB"]
    assert [duration(s) for s in (12.4, 200, 18600)] == ["12 s", "3 min 20 s", "5 h 10 min"]
