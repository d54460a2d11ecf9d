"""Networks and scenes for mapping whose answer is known."""

from __future__ import annotations

import numpy as np
import pictured
import rasterio

from slidecloud.config_optical import OpticalConfig

CRS = "EPSG:32648"
PIXEL = 5.0
BRIGHT, DARK = 180, 60


def bright_network(path, *, bands=4, depth=2, names=None):
    """Weights that score a pixel by its first band alone: above 0.99 where it is `BRIGHT`, below 0.01 where `DARK`."""
    import torch

    from slidecloud.kernels.normalisation import Normalisation
    from slidecloud.models.unet import Unet
    from slidecloud.models.unet_shape import UnetShape
    from slidecloud.models.unet_weights import UnetCard, save

    shape = UnetShape(bands, 1 / 8, depth)
    network = Unet(shape).eval()
    with torch.no_grad():
        for values in network.parameters():
            if values.ndim == 4:
                values.zero_()
        for layer in (network.down[0][0], network.down[0][1], network.up[0][0], network.up[0][1]):
            layer[0].weight[0, 0, 1, 1] = 1.0
        network.last.weight.zero_()
        network.last.weight[0, 0] = 10.0
        network.last.bias.fill_(-10.0)
    # The step from dark to bright lies in the middle between 0 and 2 standard deviations.
    mean, deviation = (float(DARK),) * bands, ((BRIGHT - DARK) / 2,) * bands
    return save(path, network, UnetCard(shape, Normalisation(mean, deviation), names))


def wild_network(path, *, bands=4, depth=2, seed=0):
    """Weights by chance, that find some of everything and look as far as their reach."""
    import torch

    from slidecloud.kernels.normalisation import Normalisation
    from slidecloud.models.unet import Unet
    from slidecloud.models.unet_shape import UnetShape
    from slidecloud.models.unet_weights import UnetCard, save

    torch.manual_seed(seed)
    shape = UnetShape(bands, 1 / 8, depth)
    network = Unet(shape).eval()
    normalisation = Normalisation((100.0,) * bands, (40.0,) * bands)
    with torch.no_grad():
        seen = torch.from_numpy(normalisation.apply(noise((bands, 128, 128)).astype(np.float32))[None])
        logits = network(seen)
        scale = 2.0 / logits.std()
        network.last.weight *= scale
        network.last.bias.copy_(network.last.bias * scale - torch.quantile(logits * scale, 0.85))
    return save(path, network, UnetCard(shape, normalisation))


def noise(shape, seed=0):
    """Smooth noise (band, y, x), uint8 from 1."""
    from scipy import ndimage

    found = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), (0, 3, 3))
    return (100 + 40 * found / found.std()).clip(1, 255).astype(np.uint8)


def scene(path, values, **about):
    """A scene (band, y, x) as a tiled GeoTIFF whose value without data is 0."""
    about = {"crs": CRS, "pixel": PIXEL, "nodata": 0, "tiled": True, "blockxsize": 256, "blockysize": 256} | about
    pictured.write_tiff(path, values, compress="deflate", **about)
    return path


def wide(path, *, side=22_400, bands=4):
    """A scene of more pixels than a frame may have, of which nothing is stored but a bright square at its end."""
    about = {
        "driver": "GTiff", "count": bands, "height": side, "width": side, "dtype": "uint8", "crs": CRS,
        "transform": rasterio.Affine(PIXEL, 0.0, 400_000.0, 0.0, -PIXEL, 3_400_000.0), "tiled": True,
        "blockxsize": 64, "blockysize": 64, "sparse_ok": True,
    }  # fmt: skip
    with rasterio.open(path, "w", **about) as file:
        square = np.full((bands, 64, 64), BRIGHT, np.uint8)
        file.write(square, window=rasterio.windows.Window(side - 64, side - 64, 64, 64))
    return path


def slides(shape=(600, 700), bands=4):
    """A dark scene with a bright ring over the border of four tiles, a bar, and a speck of 3 pixels."""
    values = np.full((bands, *shape), DARK, np.uint8)
    values[:, 200:320, 470:560] = BRIGHT
    values[:, 240:270, 500:530] = DARK
    values[:, 500:520, 100:650] = BRIGHT
    values[:, 50, 50:53] = BRIGHT
    return values


def config(folder, scenes=None, **given):
    """A configuration for scenes in a folder, in a store of their own, mapped in this process by small tiles."""
    name = given.pop("store", "optical")
    mapping = {"tile": 128, "least_area": 300.0, "simplify": 0.0} | given.pop("map", {})
    resources = {"executor": "serial", "memory": "2 GiB", "tile": (256, 512)} | given.pop("resources", {})
    return OpticalConfig.model_validate(
        {
            "store": str(folder / f"{name}.zarr"),
            "weights": str(folder / "weights.safetensors"),
            "scenes": scenes or {"valley": {"image": str(folder / "scene.tif")}},
            "map": mapping,
            "resources": resources,
            **given,
        }
    )


def objects(folder, store="optical"):
    """Bytes of everything that a store holds besides records, by name."""
    root = folder / f"{store}.zarr"
    files = (path for path in root.rglob("*") if path.is_file() and ".slidecloud" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(files)}


def rewritten(path, values):
    """Overwrite pixels of an existing GeoTIFF (band, y, x)."""
    with rasterio.open(path, "r+") as file:
        file.write(values)


def corrupt(path, *, column, row):
    """Make a block of a tiled, packed GeoTIFF unreadable, in its first band."""
    with rasterio.open(path) as file:
        tags = (file.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=1) for what in ("OFFSET", "SIZE"))
        start, size = map(int, tags)
    data = bytearray(path.read_bytes())
    data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
