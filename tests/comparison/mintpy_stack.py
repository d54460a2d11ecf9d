"""Run by the Python that has MintPy: writes pairs as its HDF5 stack and has its own programs invert them.

``python mintpy_stack.py FOLDER``: reads ``pairs.npz`` in the folder, writes ``result.npz`` there. Nothing of slidecloud
is imported here, nothing of MintPy elsewhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
from mintpy.cli import ifgram_inversion, timeseries2velocity


def write_stack(path: Path, given: np.lib.npyio.NpzFile) -> None:
    rows, columns = given["phase"].shape[1:]
    attributes = {
        "FILE_TYPE": "ifgramStack",
        "LENGTH": rows,
        "WIDTH": columns,
        "WAVELENGTH": given["wavelength"],
        "PROCESSOR": "isce",
        "REF_Y": 0,
        "REF_X": 0,
        "ALOOKS": 2,
        "RLOOKS": 8,
        "NCORRLOOKS": float(given["looks"]),
        "START_DATE": given["date"][0, 0].decode(),
        "END_DATE": given["date"][-1, 1].decode(),
    }
    with h5py.File(path, "w") as file:
        file["date"] = given["date"]
        file["bperp"] = np.zeros(len(given["date"]), np.float32)
        file["dropIfgram"] = np.ones(len(given["date"]), bool)
        file["unwrapPhase"] = given["phase"]
        file["coherence"] = given["coherence"]
        for name, value in attributes.items():
            file.attrs[name] = str(value)


def main(folder: Path) -> None:
    stack, results = folder / "ifgramStack.h5", {}
    write_stack(stack, np.load(folder / "pairs.npz"))
    for weight in ("no", "coh", "var"):
        outputs = [str(folder / f"{name}_{weight}.h5") for name in ("timeseries", "temporalCoherence", "redundancy")]
        ifgram_inversion.main([str(stack), "-w", weight, "-o", *outputs])
        velocity = str(folder / f"velocity_{weight}.h5")
        timeseries2velocity.main([outputs[0], "-o", velocity])
        for name, path in {"timeseries": outputs[0], "temporalCoherence": outputs[1], "velocity": velocity}.items():
            with h5py.File(path) as file:
                results[f"{name}_{weight}"] = file[name][:]
    np.savez(folder / "result.npz", **results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
