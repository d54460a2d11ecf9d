# %% [markdown]
# # Why coherent stacking
#
# The phase gradient of a landslide is small and the same in every pair; noise is large and different in every pair. How the
# pairs are added decides what is left. Here the same simulated interferograms are stacked in four ways, with coherence that
# comes and goes: one pair in four is good, the others are nearly noise, as over vegetated slopes.
#
# * `coherent` adds the products of two disjoint blocks and takes the angle once (the default);
# * `overlap` adds the products of whole windows one pixel apart, less the pixels both hold;
# * `sum` adds the wrapped difference of each pair, and `rewrapped` keeps that sum wrapped and unwraps it in the end: the
#   published way.

# %%
import matplotlib.pyplot as plt
import numpy as np

from slidecloud.kernels import gradients

rng = np.random.default_rng(0)
ROWS, COLUMNS, PAIRS, LOOKS = 96, 128, 60, 4
y, x = np.mgrid[:ROWS, :COLUMNS]
bell = np.exp(-(((y - 48) / 14) ** 2 + ((x - 64) / 18) ** 2))
truth = 2.0 * bell  # radians in each pair: what a slide has moved between two passes
gamma = np.where(np.arange(PAIRS) % 4 == 0, 0.4, 0.03)


def speckle(coherence):
    """Phase and estimated coherence of one pair: correlated circular Gaussian samples, multilooked."""
    first, noise = rng.standard_normal((2, LOOKS, ROWS, COLUMNS, 2)).view(np.complex128)[..., 0]
    second = coherence * first + np.sqrt(1 - coherence**2) * noise
    product = (first * second.conj()).sum(0) * np.exp(1j * truth)
    power = np.sqrt((abs(first) ** 2).sum(0) * (abs(second) ** 2).sum(0))
    return np.angle(product), abs(product) / power


pairs = [speckle(g) for g in gamma]
phase = np.stack([np.round(p * 32768 / np.pi).astype(np.int32).astype(np.int16) for p, _ in pairs])
coherence = np.stack([np.clip(np.round(c * 255), 1, 255).astype(np.uint8) for _, c in pairs])

# %%
reference = np.arange(PAIRS)
stacks = {
    estimator: gradients.stack(phase, coherence, reference=reference, secondary=reference + 1, estimator=estimator)
    for estimator in ("coherent", "overlap", "sum", "rewrapped")
}
expected = np.gradient(truth, axis=1)
figure, axes = plt.subplots(1, 5, figsize=(15, 2.9), layout="constrained", sharey=True)
for one, (name, values) in zip(axes, {"truth": expected, **{k: s.x for k, s in stacks.items()}}.items(), strict=True):
    shown = one.imshow(values, cmap="RdBu", vmin=-0.12, vmax=0.12)
    one.set_title(name)
_ = figure.colorbar(shown, ax=axes, label="rad per pixel")
# %% [markdown]
# In numbers: how much of the true gradient comes back (the slope of a line through what was found against the truth), and
# the error of a pixel.

# %%
print(f"{'':12}{'returned':>10}{'error, rad/pixel':>20}")
for name, found in stacks.items():
    valid = np.isfinite(found.x)
    returned = (found.x * expected)[valid].sum() / (expected**2)[valid].sum()
    error = np.sqrt(np.mean((found.x - expected)[valid] ** 2))
    print(f"{name:12}{returned:10.0%}{error:20.4f}")

# %% [markdown]
# The window smooths the truth too, which is why even the best returns a little less than all of it. `coherent` gives an honest
# standard error with each gradient, from the scatter of the pairs that share dates:

# %%
best = stacks["coherent"]
far = (abs(x - 64) > 45) & np.isfinite(best.x)
print(
    f"scatter where nothing moves: {best.x[far].std():.4f} rad per pixel; its standard error says {best.x_sigma[far].mean():.4f}"
)
