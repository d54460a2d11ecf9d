"""The NVIDIA GPU: whether there is one, its memory, and arrays on it.

The array's type decides where work is done: kernels given device arrays work on the device, and nothing falls back to
the other side. Device arrays are what `on_device` recognises: CuPy arrays, those of numba, and those of its simulator
(environment variable NUMBA_ENABLE_CUDASIM=1), in which the same kernels run as plain Python where there is no GPU.
Nothing is imported before it is needed.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

_REMEDY = "install slidecloud[gpu] and run where an NVIDIA driver is, or set resources.device: cpu"


def on_device(array: object) -> bool:
    """Whether an array lies on a GPU, or on that of the simulator."""
    return hasattr(array, "__cuda_array_interface__") or hasattr(array, "__cuda_ndarray__")


def find_lack() -> str | None:
    """What keeps this process from using a GPU, in words; None if nothing does."""
    if importlib.util.find_spec("numba_cuda") is None:
        return "the package numba-cuda is not installed"
    cuda = importlib.import_module("numba.cuda")
    try:
        count = len(cuda.list_devices())
        if count:
            cuda.current_context()
    except (ImportError, RuntimeError) as error:  # the driver's errors are one or the other
        lines = [line.strip() for line in str(error).splitlines() if line.strip(" :")]
        return "the NVIDIA driver cannot be used: " + (" ".join(lines[1:]) or type(error).__name__).rstrip(".")
    return None if count else "there is no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it"


def require_gpu(wanted: str = "work on a GPU") -> None:
    """Raise RuntimeError unless this process can use a GPU; ``wanted`` says in the message what asked for it."""
    lack = find_lack()
    if lack is not None:
        raise RuntimeError(f"{wanted}: expected an NVIDIA GPU, but {lack}; {_REMEDY}")


def cuda() -> Any:
    """The module ``numba.cuda``, after `require_gpu`."""
    require_gpu()
    return importlib.import_module("numba.cuda")


def is_simulated() -> bool:
    """Whether the GPU is numba's simulator."""
    return bool(importlib.import_module("numba.core.config").ENABLE_CUDASIM)


def free_memory() -> int:
    """Bytes free on the current GPU; in the simulator a gigabyte."""
    free = cuda().current_context().get_memory_info().free
    return int(free) if np.isfinite(free) else 2**30


def as_device(array: Any, *, name: str, dtype: DTypeLike, ndim: int) -> Any:
    """The numba view of a device array, after a look at it; no copy. Waits for the stream the array was made on.

    Raises
    ------
    TypeError
        If it is not on the device, or of another type.
    ValueError
        If it has another number of dimensions or is not contiguous (C order).
    """
    if not on_device(array):
        raise TypeError(
            f"{name}: found {type(array).__name__}, expected an array on the device like the others; "
            "move all inputs with cupy.asarray, or none"
        )
    view = array if hasattr(array, "__cuda_ndarray__") else cuda().as_cuda_array(array)
    if view.dtype != np.dtype(dtype):
        raise TypeError(f"{name}: found dtype {view.dtype} on the device, expected {np.dtype(dtype)}")
    if view.ndim != ndim:
        raise ValueError(f"{name}: found shape {tuple(view.shape)} on the device, expected {ndim} dimensions")
    if view.size and not view.is_c_contiguous():
        raise ValueError(f"{name}: found strides {view.strides}, expected a contiguous array; cupy.ascontiguousarray")
    return view


def empty(shape: int | tuple[int, ...], dtype: DTypeLike = np.float32) -> Any:
    """A device array whose values are not set."""
    return cuda().device_array(shape, np.dtype(dtype))


def zeros(shape: int | tuple[int, ...], dtype: DTypeLike = np.float32) -> Any:
    """A device array of zeros."""
    array = empty(shape, dtype)
    if array.size:
        array.ravel()[:] = 0
    return array


def to_device(values: ArrayLike, *, stream: Any = 0) -> Any:
    """A copy on the device of host values; on a stream it is finished when the stream gets there."""
    return cuda().to_device(np.ascontiguousarray(values), stream=stream)


def to_host(array: Any) -> NDArray[Any]:
    """A copy on the host of a device array, when all that was asked of the device before is done."""
    cuda().synchronize()
    host = array.copy_to_host() if hasattr(array, "copy_to_host") else array.get()
    return np.asarray(host)


def pinned(shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """A host array whose pages cannot be moved, which is what copies beside computing need."""
    array: NDArray[Any] = cuda().pinned_array(shape, np.dtype(dtype))
    return array
