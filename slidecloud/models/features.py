"""What a network sees of a view: maps of about -1 to 1, 0 where nothing is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.motion import relative_motion
from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.types import SENTINEL1_WAVELENGTH, Float32

Scaling = Literal["both", "sigma", "physical", "phase"]
Axes = Literal["both", "range", "azimuth"]

_SIGNIFICANT: Final = 5.0
_STEEP: Final = 1e-4
_MOVED: Final = 10.0
_CLIP: Final = 4.0
_MOST: Final = np.float32(2)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the channels of a network are.

    Attributes
    ----------
    scaling
        ``sigma``: gradients over their sigma, compressed. ``physical``: gradients of velocity, compressed. ``both``:
        these two, the logarithm of sigma, and coherence. ``phase``: the phase gradient summed over pairs, clipped to
        4 rad per pixel (Fu et al. 2022).
    axes
        ``both``, ``range`` (x) or ``azimuth`` (y); the publication looks at one of them at a time.
    motion
        Also motion put together from both gradients: what moves as one is one patch there.
    """

    scaling: Scaling = "both"
    axes: Axes = "both"
    motion: bool = False

    def __post_init__(self) -> None:
        for name, known in (("scaling", get_args(Scaling)), ("axes", get_args(Axes))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} of the inputs is {getattr(self, name)!r}; expected {', '.join(known)}")

    @property
    def channels(self) -> int:
        """Number of maps."""
        axes = 2 if self.axes == "both" else 1
        return (3 * axes + 1 if self.scaling == "both" else axes) + self.motion

    @property
    def odd(self) -> NDArray[np.bool_]:
        """Which maps change sign (channel, 3): mirrored along rows, along columns, with uplift for subsidence."""
        turns = {"range": (False, True, True), "azimuth": (True, False, True)}
        gradients = list(turns.values()) if self.axes == "both" else [turns[self.axes]]
        even = [(False, False, False)] * (len(gradients) + 1)
        maps = 2 * gradients + even if self.scaling == "both" else gradients
        return np.array([*maps, *([(False, False, True)] * self.motion)])


def features(view: GradientView, inputs: Inputs, *, wavelength: float = SENTINEL1_WAVELENGTH) -> Float32:
    """Maps for a network.

    Every map but coherence is an odd, rising function of a gradient, or depends on no gradient: turning a view round
    turns its features round.

    Parameters
    ----------
    view
        Maps (y, x).
    inputs
        Which channels, and how scaled.
    wavelength
        Metres; matters for ``phase`` alone.

    Returns
    -------
    Float32
        (channel, y, x), from -2 to 2 whatever is given. In order: sigma units, physical units, logarithms of sigma
        (each for range, then azimuth), coherence, motion; a channel that is not asked for is left out.
    """
    pairs = {"range": (view.x, view.x_sigma), "azimuth": (view.y, view.y_sigma)}
    chosen = list(pairs.values()) if inputs.axes == "both" else [pairs[inputs.axes]]
    out = np.empty((inputs.channels, *view.x.shape), np.float32)
    channel = iter(out)
    # Whatever a damaged map holds, the clip and the last line make a number of it.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if inputs.scaling == "phase":
            step = np.float32(-4 * np.pi / wavelength * SPACING * view.span / _CLIP)
            for gradient, _ in chosen:
                np.clip(gradient * step, -1, 1, out=next(channel))
        if inputs.scaling in ("both", "sigma"):
            for gradient, sigma in chosen:
                _compress(_over(gradient, sigma), out=next(channel))
        if inputs.scaling in ("both", "physical"):
            for gradient, _ in chosen:
                _compress(gradient * np.float32(1 / _STEEP), out=next(channel))
        if inputs.scaling == "both":
            for _, sigma in chosen:
                _logarithm(sigma, out=next(channel))
            next(channel)[...] = view.coherence
        if inputs.motion:
            _compress(relative_motion(view) * np.float32(1 / _MOVED), out=next(channel))
    np.clip(out, -_MOST, _MOST, out=out)
    out[np.isnan(out)] = 0
    return out


def _over(gradient: Float32, sigma: Float32) -> Float32:
    """A gradient in fifths of its significance; NaN where it has no sigma."""
    ratio: Float32 = gradient / (sigma * np.float32(_SIGNIFICANT))
    ratio[~(sigma > 0)] = np.nan
    return ratio


def _compress(values: Float32, out: Float32) -> None:
    """``arsinh(v) / 3``: straight near zero, logarithmic beyond, 1 at ten times the scale."""
    np.arcsinh(values, out=out)
    out *= np.float32(1 / 3)


def _logarithm(sigma: Float32, out: Float32) -> None:
    """``log10(sigma / 1e-4) / 2``, from -1 (1e-6/yr) to 1 (1e-2/yr)."""
    np.log10(sigma * np.float32(1 / _STEEP), out=out)
    out *= np.float32(0.5)
    np.clip(out, -1, 1, out=out)
