"""``slidecloud ingest``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from slidecloud.cli.console import progress, say
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Executor, Storage, Workers, storage_options


def ingest(
    source: Path,
    stacks: str,
    /,
    *,
    kind: Literal["auto", "gamma", "hyp3", "licsar", "snap", "zarr"] = "auto",
    id: str | None = None,
    executor: Executor = "threads",
    workers: Workers = None,
    retry_quarantined: bool = False,
    storage: Storage = (),
) -> int:
    """Read a folder of interferograms or single-look images and write it as a stack, STACKS/ID.zarr.

    The kind of a source is told from the names of its files, in all subfolders and zip archives (nothing is
    unpacked); --kind says it where files of several kinds lie together:

        gamma    GAMMA GeoTIFFs: *YYYYMMDD-YYYYMMDD*unw.tif, *cc.tif, *.par
        hyp3     HyP3 bursts: S1_136231_IW2_20200604_20200616_VV_INT80_10C1
        licsar   LiCSAR frames: YYYYMMDD_YYYYMMDD.geo.unw.tif, .geo.cc.tif
        snap     coregistered images from SNAP: *.znap
        zarr     coregistered images in a Zarr store: slc, or real and imag

    Interferograms become a burst stack, images an SLC stack, of which a run forms the interferograms. What is stored
    already is left alone, so the same command adds what is new. A pair or image that cannot be used is refused with
    its file and what to do; the rest goes on.

    For example:

        slidecloud ingest frames/106D_05248_131313 stacks
        slidecloud ingest hyp3_downloads stacks --id t064_136231_iw2
        slidecloud ingest interferograms s3://bucket/stacks --id mine_north --storage profile=geo

    Exit codes: 0 done; 1 error; 2 wrong usage; 3 finished, but some pairs or images could not be used.

    Parameters
    ----------
    source
        Folder with the interferograms or images, or one zip archive.
    stacks
        Folder or URL for stacks.
    kind
        Format of the source: auto, gamma, hyp3, licsar, snap or zarr.
    id
        Name of the stack; by default from the source: burst, frame or folder. Of several bursts in one folder, the one
        to take.
    retry_quarantined
        Read pairs or images again that could not be read before, although their files look the same.
    executor
        threads, dask (processes of this machine) or serial.
    """
    if executor == "serial" and workers not in (None, 1):
        raise UsageError(f"--executor serial has one worker, and --workers is {workers}; use threads or dask.")
    from slidecloud.cli.run import tell
    from slidecloud.cluster import executor as open_executor
    from slidecloud.config import ResourcesConfig
    from slidecloud.pipeline.folders import ingest_folder
    from slidecloud.store import locate

    where = locate(stacks, storage_options(storage))
    with open_executor(ResourcesConfig(executor=executor, workers=workers)) as opened:
        stack, summary = ingest_folder(
            str(source),
            where,
            kind=kind,
            id=id,
            executor=opened,
            progress=progress(),
            retry_quarantined=retry_quarantined,
        )
    tell(summary, retry="mend the files it names, then give the same command again.")
    say(f"Stack: {stack}")
    return summary.exit_code
