"""Read a torch state dictionary without torch, and without running the code that its pickle could hold.

Only tensors are rebuilt; any other global in the pickle is refused. Both the legacy layout and the ZIP layout of
torch 1.6 and later are read.
"""

from __future__ import annotations

import collections
import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "DoubleStorage": np.float64,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ByteStorage": np.uint8,
}


class NotAStateDict(ValueError):
    """The file is no plain torch state dictionary."""


@dataclass(frozen=True)
class _Tensor:
    storage: str
    type: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild(storage: tuple[str, str], offset: int, size: Any, stride: Any, *_: Any) -> _Tensor:
    return _Tensor(storage[0], storage[1], offset, tuple(size), tuple(stride))


class _TensorsOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _TYPES:
            return name
        raise NotAStateDict(f"The file asks for {module}.{name}, which is no tensor.")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        return pid[2], pid[1]  # pid: "storage", type, key, location, length


def read_state_dict(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a torch file by name. Raises NotAStateDict."""
    try:
        state, storage = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        return {name: _array(tensor, storage) for name, tensor in state.items()}
    except (pickle.UnpicklingError, EOFError, struct.error, KeyError, IndexError, AttributeError) as error:
        raise NotAStateDict(f"{path.name} is no torch state dictionary: {error}") from None


Storage = Callable[[str, str], npt.NDArray[Any]]


def _read_zip(path: Path) -> tuple[dict[str, _Tensor], Storage]:
    archive = zipfile.ZipFile(path)
    root = next(name for name in archive.namelist() if name.endswith("data.pkl"))[: -len("data.pkl")]
    state = _TensorsOnly(io.BytesIO(archive.read(f"{root}data.pkl"))).load()
    return state, lambda key, kind: np.frombuffer(archive.read(f"{root}data/{key}"), _TYPES[kind])


def _read_legacy(path: Path) -> tuple[dict[str, _Tensor], Storage]:
    with path.open("rb") as file:
        if _TensorsOnly(file).load() != _MAGIC:
            raise NotAStateDict(f"{path.name} is no torch file.")
        _TensorsOnly(file).load()  # protocol version
        _TensorsOnly(file).load()  # sizes of the writer's C types
        state = _TensorsOnly(file).load()
        keys = _TensorsOnly(file).load()
        kinds = {tensor.storage: tensor.type for tensor in state.values()}
        storages = {key: _read_storage(file, kinds[key]) for key in keys}
    return state, lambda key, kind: storages[key]


def _read_storage(file: BinaryIO, kind: str) -> npt.NDArray[Any]:
    (length,) = struct.unpack("<q", file.read(8))
    dtype = np.dtype(_TYPES[kind])
    return np.frombuffer(file.read(length * dtype.itemsize), dtype)


def _array(tensor: _Tensor, storage: Storage) -> npt.NDArray[Any]:
    values = storage(tensor.storage, tensor.type)
    if not tensor.size:
        return values[tensor.offset : tensor.offset + 1].reshape(())
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.size, tensor.stride, strict=True))
    if not 0 <= last < values.size:
        raise NotAStateDict("A tensor reaches beyond its storage.")
    strides = [step * values.itemsize for step in tensor.stride]
    view: npt.NDArray[Any] = np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.size, strides)
    return view.copy()
