"""Run by the Python that has MintPy: what its own readers and programs say of a folder that slidecloud exported.

``python mintpy_reads.py FOLDER OUT``: reads the HDF5 files in the folder, writes ``OUT/result.npz``. Nothing of
slidecloud is imported here.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from mintpy import view
from mintpy.cli import info, timeseries2velocity
from mintpy.cli import view as view_program
from mintpy.objects import timeseries
from mintpy.utils import readfile
from mintpy.utils import utils as ut


def main(folder: Path, out: Path) -> None:
    found, told = {}, {}
    names = ["timeseries", "velocity", "temporalCoherence", "maskTempCoh", "inputs/geometryGeo"]
    for name in names:
        values, told[name] = readfile.read(str(folder / f"{name}.h5"))
        found[name.split("/")[-1]] = values
    found["velocityStd"], _ = readfile.read(str(folder / "velocity.h5"), datasetName="velocityStd")
    for name in ("height", "incidenceAngle", "azimuthAngle", "slantRangeDistance"):
        found[name], _ = readfile.read(str(folder / "inputs/geometryGeo.h5"), datasetName=name)
    series = timeseries(str(folder / "timeseries.h5"))
    series.open(print_msg=False)
    found["dates"], found["bperp"] = np.array(series.dateList), np.asarray(series.pbase)
    # What is drawn: the data of the figure, in mm a year.
    drawn = view.prep_slice(f"view.py {folder / 'velocity.h5'} velocity --nodisplay -u mm")[0]
    found["drawn"] = np.ma.filled(drawn, np.nan)
    view_program.main([str(folder / "velocity.h5"), "velocity", "--nodisplay", "-o", str(out / "velocity.png")])
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        info.main([str(folder / "timeseries.h5")])
    (out / "info.txt").write_text(printed.getvalue())
    timeseries2velocity.main([str(folder / "timeseries.h5"), "-o", str(out / "refitted.h5")])
    found["refitted"], _ = readfile.read(str(out / "refitted.h5"), datasetName="velocity")
    coordinate = ut.coordinate(told["velocity"])
    row, column = int(told["velocity"]["REF_Y"]), int(told["velocity"]["REF_X"])
    latitude, longitude = float(told["velocity"]["REF_LAT"]), float(told["velocity"]["REF_LON"])
    found["reference"] = np.array([row, column])
    found["located"] = np.array(coordinate.geo2radar(latitude, longitude)[:2])
    (out / "attributes.json").write_text(json.dumps(told))
    np.savez(out / "result.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
