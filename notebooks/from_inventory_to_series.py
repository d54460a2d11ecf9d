# %% [markdown]
# # From the inventory to the motion of one landslide
#
# The region of the quickstart (made here, if you have not been there): choose a landslide, look at its displacement and the
# network behind it, class it, and write files for other programs.

# %%
# !slidecloud demo region --size 160 --dates 40 --executor threads > demo.log

# %%
import matplotlib.pyplot as plt

import slidecloud

run = slidecloud.open_run("region/run.zarr")
inventory = run.inventory.sort_values("probability", ascending=False)
inventory[["probability", "area", "peak_velocity", "seasons"]].assign(
    peak_velocity=lambda table: (table.peak_velocity * 1000).round(1)
).rename(columns={"peak_velocity": "peak velocity from gradients, mm/yr"})

# %% [markdown]
# ## One landslide, pixel by pixel
#
# Displacement is relative to the stable ground of the patch. `recovered_fraction` says how much of a known slide, put into the
# same pairs, comes back; `velocity_integrated` comes from gradients alone, without unwrapping.

# %%
chosen = inventory.iloc[0]
series = run.timeseries("demo")
outline = inventory.iloc[[0]].to_crs(series.spatial_ref.attrs["crs_wkt"])
west, south, east, north = outline.total_bounds
near = series.sel(x=slice(west - 600, east + 600), y=slice(north + 600, south - 600))
figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained", sharex=True, sharey=True)
for one, name in zip(axes, ("velocity", "velocity_integrated"), strict=True):
    (near[name] * 1000).plot(ax=one, cmap="RdBu", vmin=-60, vmax=60, add_labels=False, cbar_kwargs={"label": "mm/yr"})
    outline.boundary.plot(ax=one, color="black")
    one.set(aspect="equal", xticks=[], yticks=[], title=name)

# %% [markdown]
# ## Its series, and the pairs behind it

# %%
from slidecloud.plots.point import point_figure

place = chosen.geometry.representative_point()
point_figure(run, place.x, place.y)

# %% [markdown]
# ## Classes of stability

# %%
# !slidecloud classify region/run.zarr 2> /dev/null

# %%
from slidecloud.plots.stability import stability_figure

stability_figure(run)

# %%
run.stability.head()

# %% [markdown]
# ## Files for other programs

# %%
# !slidecloud export region/run.zarr --out files --names velocity_gradient_x velocity_gradient_x_sigma 2> /dev/null
# !slidecloud export region/run.zarr --format kmz --out files 2> /dev/null

# %% [markdown]
# The maps open in QGIS with unit and coordinate system, the KMZ in Google Earth.
