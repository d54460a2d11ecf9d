# %% [markdown]
# # Results straight from Zarr, with xarray only
#
# A run store is plain Zarr v3 and GeoParquet. Nothing below imports slidecloud: this is what a colleague types who was
# given the address of a run. The address may be a folder or a bucket; keys come from the environment or a profile
# (`AWS_PROFILE`), and `s3fs` does the reading.

# %%
import os

RUN = os.environ.get("SLIDECLOUD_RUN", "region/run.zarr")  # or "s3://bucket/runs/region.zarr"
if RUN == "region/run.zarr":
    import subprocess

    subprocess.run(
        ["slidecloud", "demo", "region", "--size", "160", "--dates", "40", "--executor", "threads"],
        check=True,
        capture_output=True,
    )

# %%
import geopandas
import matplotlib.pyplot as plt
import xarray as xr

maps = xr.open_zarr(f"{RUN}/bursts/demo/gradients")
maps

# %% [markdown]
# Every array says what it is: unit, meaning, coordinate system.

# %%
for name in ("velocity_gradient_x", "velocity_gradient_x_sigma", "mean_coherence"):
    print(f"{name:28} {maps[name].attrs['units']:6} {maps[name].attrs['long_name']}")

# %% [markdown]
# Reading is lazy: only the chunks that a slice touches come over the wire.

# %%
significance = abs(maps.velocity_gradient_x) / maps.velocity_gradient_x_sigma
figure, axes = plt.subplots(figsize=(6.4, 5), layout="constrained")
significance.plot(ax=axes, vmin=0, vmax=8, cmap="magma", add_labels=False)
_ = axes.set(aspect="equal", xticks=[], yticks=[], title="velocity gradient along x over its standard error")
# %% [markdown]
# The inventory, through fsspec and geopandas. Geometry is in longitude and latitude.

# %%
import fsspec

with fsspec.open(f"{RUN}/products/inventory.parquet") as file:
    inventory = geopandas.read_parquet(file)
inventory[["probability", "area", "strongest", "seasons", "geometry"]].sort_values("probability", ascending=False)

# %% [markdown]
# Displacement lies in patches; the root of a burst names none of them, a listing does.

# %%
where, path = fsspec.core.url_to_fs(f"{RUN}/bursts/demo/patches")
patches = sorted(name.rsplit("/", 1)[-1] for name in where.ls(path, detail=False) if not name.endswith("zarr.json"))
print(patches)
series = xr.open_zarr(f"{RUN}/bursts/demo/patches/{patches[0]}/timeseries")
fastest = series.velocity.where(series.velocity_sigma < 0.01).argmin(...)
point = series.isel({name: int(at) for name, at in fastest.items()})
figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
axes.errorbar(
    point.time.values,
    (point.displacement * 1000).values,
    (point.displacement_sigma * 1000).values,
    fmt="o",
    markersize=3,
)
axes.set_ylabel("displacement towards the satellite, mm")
axes.set_title(f"the pixel that moves away fastest: {float(point.velocity) * 1000:.0f} mm/yr")
axes.grid(alpha=0.3)

# %% [markdown]
# Signs: displacement and velocity are positive towards the satellite. Axes are `y, x`, time is UTC, units are radians,
# metres and metres per year.
