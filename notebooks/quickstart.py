# %% [markdown]
# # Quickstart
#
# A small mountain region is simulated, with landslides whose motion is known; slidecloud looks for them in its radar
# interferograms, and we look at what it found. Nothing is downloaded; it takes a minute or two. You need
# `pip install 'slidecloud[detect,viz]'`.
#
# The command below is the whole chain: interferograms into a burst stack, phase gradients stacked, landslides detected,
# displacement inverted around them, a report written. Give it again and it does only what is missing.

# %%
# !slidecloud demo region --size 160 --dates 40 --executor threads > demo.log && grep -A 5 "velocity RMSE" demo.log

# %% [markdown]
# ## What is there
#
# A stack of burst interferograms is a Zarr store; `open_stack` gives it as an xarray dataset. Phase is stored as a
# 16-bit binary angle and read in radians, positive away from the satellite.

# %%
import matplotlib.pyplot as plt
import numpy as np

import slidecloud

stack = slidecloud.open_stack("region/stacks/demo.zarr")
print(f"{stack.sizes['pair']} pairs of {stack.sizes['y']} x {stack.sizes['x']} pixels")

figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
valid = stack.coherence[5] > 0
stack.phase[5].where(valid).plot(ax=axes[0], cmap="twilight", vmin=-np.pi, vmax=np.pi, add_labels=False)
stack.coherence[5].where(valid).plot(ax=axes[1], cmap="gray", vmin=0, vmax=1, add_labels=False)
for one, title in zip(axes, ("phase, rad", "coherence"), strict=True):
    one.set(aspect="equal", xticks=[], yticks=[], title=title)

# %% [markdown]
# One pair shows next to nothing: speckle and the atmosphere are stronger than a landslide. The mean gradient of all pairs
# does show it, because what moves has the same gradient in every pair and the atmosphere has not.

# %%
run = slidecloud.open_run("region/run.zarr")
gradients = run.gradients("demo")
figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for one, name in zip(axes, ("velocity_gradient_x", "velocity_gradient_x_sigma"), strict=True):
    (gradients[name] * 1e6).plot(ax=one, robust=True, add_labels=False, cbar_kwargs={"label": "mm/yr per km"})
    one.set(aspect="equal", xticks=[], yticks=[], title=name)

# %% [markdown]
# ## What was found
#
# The inventory is a GeoDataFrame, and on disk a GeoParquet file that QGIS opens.

# %%
run.inventory[["probability", "area", "pair_count", "effective_pairs", "tracks", "seasons"]]

# %% [markdown]
# Around each find displacement was inverted. `run.timeseries` lays the patches out on the grid of the burst; velocity is
# in metres per year along the line of sight, positive towards the satellite.

# %%
series = run.timeseries("demo")
figure, axes = plt.subplots(figsize=(7, 5.4), layout="constrained")
(series.velocity * 1000).plot(ax=axes, cmap="RdBu", vmin=-40, vmax=40, add_labels=False, cbar_kwargs={"label": "mm/yr"})
run.inventory.to_crs(series.spatial_ref.attrs["crs_wkt"]).boundary.plot(ax=axes, color="black", linewidth=1)
_ = axes.set(aspect="equal", xticks=[], yticks=[], title="line-of-sight velocity")
# %% [markdown]
# The series of a point, from every burst that sees it; `best` takes the burst with the smallest standard error.

# %%
place = run.inventory.sort_values("probability").geometry.iloc[-1].representative_point()
point = run.best(place.x, place.y)
millimetres = point.displacement * 1000
sigma = point.displacement_sigma * 1000
figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
axes.errorbar(point.time.values, millimetres.values, sigma.values, fmt="o", markersize=3, capsize=2)
axes.set_ylabel("displacement towards the satellite, mm")
axes.set_title(f"{place.x:.4f}° E, {place.y:.4f}° N")
axes.grid(alpha=0.3)

# %% [markdown]
# `region/report.html` holds the same beside the simulated truth. Next: `from_inventory_to_series`, `read_with_xarray`,
# `on_a_cluster`, `compare_estimators`.
