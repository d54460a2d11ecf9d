# %% [markdown]
# # Outlines of landslides in optical images
#
# Two simulated images of a valley, before and after a rainy year, are mapped with the small network that comes with
# slidecloud; what it finds is compared with the landslides known from the year before. The network learnt simulated
# images alone: this shows how the commands work, and nothing about real images. For those, train your own with
# `slidecloud optical train`.

# %%
from pathlib import Path

import geopandas
import matplotlib.pyplot as plt
import rasterio
import rasterio.features
import shapely
import xarray as xr

from slidecloud.optical.simulated import write_images
from slidecloud.simulate.optical import optical_scene

scene = optical_scene(1001, family="humid", shape=(512, 512))
write_images(Path("valley"), scene)


def known(date):
    """Landslides of a date as outlines."""
    with rasterio.open("valley/after.tif") as image:
        shapes = rasterio.features.shapes(scene.labels[date], mask=scene.mask(date), transform=image.transform)
    return geopandas.GeoDataFrame(geometry=[shapely.geometry.shape(one) for one, _ in shapes], crs=scene.grid.crs)


known(0).to_crs(4326).to_file("inventory_before.gpkg")

# %% [markdown]
# ## Map
#
# A scene is one image or two, of any size, in files or a bucket. Scores and masks are written as maps, outlines as
# GeoParquet; a command that was stopped goes on where it was.

# %%
Path("optical.yaml").write_text("""\
store: ./optical.zarr
weights: demo
scenes:
  valley:
    before: valley/before.tif
    after: valley/after.tif
    bands: [blue, green, red, nir]
map: {least_area: 1000}
change: {before: inventory_before.gpkg, after: valley}
resources: {executor: threads}
""")
# !slidecloud optical map optical.yaml 2> /dev/null | cut -d : -f 1,2

# %%
maps = xr.open_zarr("optical.zarr/optical/valley")
outlines = geopandas.read_parquet("optical.zarr/optical/valley.parquet").to_crs(scene.grid.crs)
figure, axes = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained", sharex=True, sharey=True)
extent = [maps.x[0], maps.x[-1], maps.y[-1], maps.y[0]]
axes[0].imshow((scene.images[1][[2, 1, 0]] * 4).clip(0, 1).transpose(1, 2, 0), extent=extent)
maps.score.plot(ax=axes[1], cmap="magma", vmin=0, vmax=1, add_labels=False)
for one, title in zip(axes, ("after; found (red) and true (cyan)", "score"), strict=True):
    outlines.boundary.plot(ax=one, color="red", linewidth=1)
    known(1).boundary.plot(ax=one, color="cyan", linewidth=0.7, linestyle="--")
    one.set(xticks=[], yticks=[], xlabel="", ylabel="", title=title)

# %% [markdown]
# ## What changed
#
# New, grown, unchanged and vanished landslides. In the store of a run with displacement each outline would also get
# its mean velocity with sigma, its class of stability and its series.

# %%
# !slidecloud optical change optical.yaml --report report 2> /dev/null

# %%
changes = geopandas.read_parquet("optical.zarr/optical/change-inventory_before-valley/changes.parquet")
changes.drop(columns="geometry").head(10)
