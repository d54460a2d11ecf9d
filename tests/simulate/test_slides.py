"""Slides lie on slopes, move down them, and move when they should."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud import simulate
from slidecloud.simulate import Slide

START = np.datetime64("2020-01-01T00:00:00", "s")


def years_after(years):
    return START + np.round(np.asarray(years) * 365.25 * 86_400).astype("timedelta64[s]")


def slope_towards(aspect):
    """A slope of 25 degrees."""
    y, x = np.indices((64, 64), dtype=float) * 40.0
    return 2000.0 - np.tan(np.radians(25.0)) * (x * np.sin(aspect) - y * np.cos(aspect))


def on_slope(aspect, slide, **options):
    return simulate.scene(elevation=slope_towards(aspect), dates=4, slides=[slide], atmosphere=None, **options)


@pytest.mark.parametrize(
    ("motion", "years", "expected"),
    [
        ("linear", [0.0, 0.5, 2.0], [0.0, 0.5, 2.0]),
        ("seasonal", [0.0, 1.0, 3.0], [0.0, 1.0, 3.0]),
        ("oscillating", [0.0, 1.0, 3.0], [0.0, 0.0, 0.0]),
        ("accelerating", [0.0, 3.0], [0.0, 3.0 * (np.e - 1.0)]),
    ],
)
def test_progress_over_whole_years(motion, years, expected):
    slide = Slide(5, 5, 100, 50, 0.1, motion=motion, growth=3.0)
    np.testing.assert_allclose(slide.progress(years_after(years), START), expected, atol=1e-6)


def test_speed_through_the_year():
    times = years_after(np.linspace(0.0, 1.0, 3601))
    summer = np.flatnonzero(times >= np.datetime64("2020-07-16"))[0]

    def speed(motion):
        return np.diff(Slide(5, 5, 100, 50, 0.1, motion=motion).progress(times, START)) * 3600

    seasonal, oscillating = speed("seasonal"), speed("oscillating")
    assert abs(int(seasonal.argmax()) - int(summer)) < 30
    assert seasonal.max() == pytest.approx(8.0 / 3.0, rel=1e-3)
    assert seasonal.min() > -1e-4
    assert seasonal.min() < 1e-4
    assert oscillating.max() == pytest.approx(1.0, rel=1e-3)
    assert oscillating.min() == pytest.approx(-1.0, rel=1e-3)
    accelerating = speed("accelerating")
    assert accelerating[0] == pytest.approx(1.0, rel=1e-3)
    assert np.all(np.diff(accelerating) > 0.0)


@pytest.mark.parametrize("shape", ["ellipse", "tongue", "spoon"])
@pytest.mark.parametrize("heading", [-12.3, 192.2])
def test_downslope_motion_projects_onto_the_line_of_sight(shape, heading):
    aspect, dip, rate = np.radians(80.0), np.radians(25.0), 0.2
    slide = Slide(32, 32, 1200, 600, rate, shape=shape)
    scene = on_slope(aspect, slide, heading=heading)
    assert scene.slides[0].direction == pytest.approx(aspect, abs=1e-6)
    east, north, up = scene.los_east[32, 32], scene.los_north[32, 32], scene.los_up[32, 32]
    expected = rate * (np.cos(dip) * (np.sin(aspect) * east + np.cos(aspect) * north) - np.sin(dip) * up)
    assert scene.los_rate[32, 32] == pytest.approx(expected, rel=2e-3)
    # An east-facing slope moves away from an ascending, west-standing satellite and towards a descending one.
    assert (scene.los_rate[32, 32] > 0.0) == (heading > 90.0)


def test_shapes_differ_as_described():
    aspect = np.radians(180.0)
    scenes = {s: on_slope(aspect, Slide(32, 32, 1600, 800, 0.1, shape=s)) for s in ("ellipse", "tongue", "spoon")}
    width = {name: (s.labels > 0).sum(axis=1) for name, s in scenes.items()}
    # Moving south: rows 14 to 50. The tongue is wider at its toe than at its head, the ellipse is not.
    assert width["tongue"][44] > 1.2 * width["tongue"][20]
    assert width["ellipse"][44] == width["ellipse"][20]
    # Vertical motion of the spoon: more at the head.
    head, toe = (scenes["spoon"].los_rate[row, 32] / scenes["ellipse"].los_rate[row, 32] for row in (24, 40))
    assert abs(head - toe) > 0.1
    area = (scenes["ellipse"].labels > 0).sum() * 1600.0
    assert area == pytest.approx(np.pi / 4 * 1600 * 800, rel=0.05)


def test_margin_bend_and_taper_do_what_they_say():
    plain, mound, bent, tapered = (
        np.abs(on_slope(np.pi, Slide(32, 32, 1600, 800, 0.1, **form)).los_rate)
        for form in ({}, {"margin": 1.0}, {"bend": 0.5}, {"taper": 0.5})
    )
    # Moving south, rows 12 to 52. A mound has the block's outline and a small top.
    np.testing.assert_array_equal(mound > 0, plain > 0)
    assert (mound > 0.9 * mound.max()).sum() < 0.3 * (plain > 0.9 * plain.max()).sum()
    # Bent, head and toe lie to one side of the middle.
    columns = [np.average(np.arange(64), weights=bent[row]) for row in (18, 32, 46)]
    assert abs(columns[0] - columns[2]) < 0.1
    assert abs(columns[0] - columns[1]) > 1.5
    # The toe is faster than the middle by half the taper at half the way, the head slower.
    assert tapered[42, 32] / tapered[32, 32] == pytest.approx(1.25, rel=0.02)
    assert tapered[22, 32] / tapered[32, 32] == pytest.approx(0.75, rel=0.02)


def test_varied_slides_differ_in_form():
    sizes = simulate.Sizes((400.0, 1200.0), (0.05, 0.1), varied=True)
    slides = simulate.scene(11, shape=(160, 160), dates=3, slides=6, sizes=sizes).slides
    for name in ("margin", "bend", "taper"):
        assert len({getattr(slide, name) for slide in slides}) == len(slides)


def test_placed_slides_are_apart_on_slopes_visible_and_numbered():
    scene = simulate.scene(11, shape=(160, 160), dates=3, slides=6, min_sensitivity=0.4)
    assert len(scene.slides) == 6
    assert set(np.unique(scene.labels)) == set(range(7))
    assert not (scene.labels[~scene.valid] > 0).any()
    assert {s.motion for s in scene.slides} == {"linear", "seasonal", "accelerating"}
    assert {s.shape for s in scene.slides} == {"ellipse", "tongue", "spoon"}
    for label, slide in enumerate(scene.slides, start=1):
        inside = scene.labels == label
        assert 0.35 * slide.rate < np.abs(scene.los_rate[inside]).max() <= slide.rate * 1.001
        # Heads are above toes.
        y, x = np.nonzero(inside)
        along = x * np.sin(slide.direction) - y * np.cos(slide.direction)
        head, toe = along <= np.quantile(along, 0.2), along >= np.quantile(along, 0.8)
        assert scene.elevation[y[head], x[head]].mean() > scene.elevation[y[toe], x[toe]].mean() + 20.0


def test_another_slide_leaves_the_first_ones_alone():
    few, more = (simulate.scene(11, shape=(128, 128), dates=3, slides=n) for n in (2, 3))
    assert more.slides[:2] == few.slides
    np.testing.assert_array_equal(more.elevation, few.elevation)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Slide(1, 1, 0, 10, 0.1), "above 0"),
        (lambda: Slide(1, 1, 10, 10, 0.1, shape="star"), "ellipse, tongue, spoon"),
        (lambda: Slide(1, 1, 10, 10, 0.1, motion="fast"), "linear, seasonal"),
        (lambda: Slide(1, 1, 10, 10, 0.1, margin=0.0), "margin: found 0.0, expected a share"),
        (lambda: Slide(1, 1, 10, 10, 0.1, bend=0.6), "bend: found 0.6, expected -0.5 to 0.5"),
        (lambda: Slide(1, 1, 10, 10, 0.1, taper=np.nan), "taper: found nan"),
        (lambda: on_slope(0.0, Slide(70, 5, 300, 100, 0.1)), "centre at"),
        (lambda: on_slope(0.0, Slide(32, 32, 300, 100, 0.1, direction=np.pi)), "uphill"),
        (lambda: on_slope(0.0, Slide(32.5, 32.5, 10, 10, 0.1)), "cover a pixel"),
        (lambda: simulate.scene(shape=(40, 40), dates=3, slides=60), "fewer slides"),
    ],
)
def test_bad_slides_say_what_to_do(make, message):
    with pytest.raises(ValueError, match=message):
        make()
