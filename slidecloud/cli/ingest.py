"""``slidecloud ingest``."""

from __future__ import annotations

from typing import Literal

from slidecloud.cli.console import progress, say
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Executor, Storage, Workers, memory_text, storage_options


def ingest(
    source: str,
    stacks: str,
    /,
    *,
    kind: Literal[
        "auto", "gamma", "hyp3", "hyp3_radar", "licsar", "mapping", "mintpy", "opera", "snap", "zarr"
    ] = "auto",
    id: str | None = None,
    mapping: str | None = None,
    keep_dropped: bool = False,
    executor: Executor | None = None,
    workers: Workers = None,
    scheduler: str | None = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    storage: Storage = (),
    source_storage: Storage = (),
) -> int:
    """Read a folder of interferograms or single-look images and write it as a stack, STACKS/ID.zarr.

    The kind of a source is told from the names of its files, in all subfolders and zip archives (nothing is
    unpacked); --kind says it where files of several kinds lie together:

        gamma       GAMMA GeoTIFFs: *YYYYMMDD-YYYYMMDD*unw.tif, *cc.tif, *.par
        hyp3        HyP3 bursts: S1_136231_IW2_20200604_20200616_VV_INT80_10C1
        hyp3_radar  the same in the geometry of the radar: *_wrapped_phase_rdr.tif
        licsar      LiCSAR frames: YYYYMMDD_YYYYMMDD.geo.unw.tif, .geo.cc.tif
        mintpy      MintPy inputs: ifgramStack.h5, geometryGeo.h5 or geometryRadar.h5
        opera       coregistered images of OPERA or COMPASS: OPERA_L2_CSLC-S1_*.h5
        snap        coregistered images from SNAP: *.znap
        zarr        coregistered images in a Zarr store: slc, or real and imag
        mapping     any Zarr store or NetCDF file of interferograms: give --mapping

    Interferograms become a burst stack, images an SLC stack, of which a run forms the interferograms. What is stored
    already is left alone, so the same command adds what is new. A pair or image that cannot be used is refused with
    its file and what to do; the rest goes on.

    For example:

        slidecloud ingest frames/106D_05248_131313 stacks
        slidecloud ingest hyp3_downloads stacks --id t064_136231_iw2
        slidecloud ingest interferograms s3://bucket/stacks --id mine_north --storage profile=geo
        slidecloud ingest s3://public/frames/106D_05248_131313 stacks --source-storage anon=true
        slidecloud ingest mine.zarr stacks --mapping mine.yaml

    A mapping says what a plain store holds, each value the name of a variable or a setting:

        phase: {unwrapped: unw, wrapped: ifg, unit: rad, positive: away}
        coherence: {variable: coh}
        pairs: {reference: ref_date, secondary: sec_date, time_of_day: "05:50:35"}
        view: {wavelength: 0.0554658, heading: -12.3, incidence: inc}

    Exit codes: 0 done; 1 error; 2 wrong usage; 3 finished, but some pairs or images could not be used.

    Parameters
    ----------
    source
        Folder with the interferograms or images, its URL (s3://, gs://, az://, https://), or one zip archive.
    stacks
        Folder or URL for stacks.
    kind
        Format of the source: auto, gamma, hyp3, hyp3_radar, licsar, mapping, mintpy, opera, snap or zarr.
    id
        Name of the stack; by default from the source: burst, frame or folder. Of several bursts in one folder, the one
        to take.
    mapping
        YAML or JSON file that says what a plain Zarr store or NetCDF file holds.
    keep_dropped
        Also take the pairs that MintPy drops.
    retry_quarantined
        Read pairs or images again that could not be read before, although their files look the same.
    executor
        threads (the default), dask (processes of this machine, or a scheduler) or serial.
    scheduler
        Address of a running Dask scheduler, tcp://host:port; its workers must reach source and stacks.
    memory
        Memory of one worker, such as "2 GiB"; threads share theirs, and wait where it is used up.
    source_storage
        Like --storage, for a SOURCE that is a URL; by default the options of --storage where both URLs are of one kind.
    """
    if executor == "serial" and workers not in (None, 1):
        raise UsageError(f"--executor serial has one worker, and --workers is {workers}; use threads or dask.")
    if scheduler is not None and executor not in (None, "dask"):
        raise UsageError(f"--scheduler needs the executor dask, not {executor}.")
    from slidecloud.cli.run import on_executor, tell
    from slidecloud.config_resources import ResourcesConfig
    from slidecloud.pipeline.folders import ingest_folder
    from slidecloud.store import locate

    where = locate(stacks, storage_options(storage))
    resources = ResourcesConfig(
        executor=executor or ("threads" if scheduler is None else "dask"),
        workers=workers,
        scheduler=scheduler,
        **({} if memory is None else {"memory": memory_text(memory)}),
    )
    with on_executor(resources) as opened:
        stack, summary = ingest_folder(
            source,
            where,
            kind=kind,
            id=id,
            mapping_file=mapping,
            keep_dropped=keep_dropped,
            executor=opened,
            progress=progress(),
            memory=resources.memory_bytes,
            retry_quarantined=retry_quarantined,
            storage_options=storage_options(source_storage, "--source-storage") if source_storage else None,
        )
    tell(summary, retry="mend the files it names, then give the same command again.")
    say(f"Stack: {stack}")
    return summary.exit_code
