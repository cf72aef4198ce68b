"""Weights from a PyTorch file of the older kind, without PyTorch and without running it.

    pickle  magic number          pickle  protocol version      pickle  facts of the writer
    pickle  name -> tensor        pickle  list of storage keys
    for each key: int64 count, then the numbers, all little-endian

A tensor is a storage key, an offset, a shape and strides. A pickle may call any function
by name; only the four names that such a file needs are let through, and what they make
here is plain data.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.domain.errors import ModelError

MAGIC = 0x1950A86A20F9469CFC6C
Array = npt.NDArray[np.float64]

_KINDS = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class _Pickle(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if module == "torch" and name in _KINDS:
            return _KINDS[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        _, kind, key, _, _, _ = pid
        return kind, str(key)


def read(data: bytes) -> dict[str, Array]:
    """All tensors by name. Raises `ModelError`."""
    stream = io.BytesIO(data)
    try:
        if _Pickle(stream).load() != MAGIC:
            raise ModelError("weights: this is not a PyTorch file of the older kind")
        _Pickle(stream).load()
        _Pickle(stream).load()
        tensors, keys = _Pickle(stream).load(), _Pickle(stream).load()
        kinds = {storage[1]: storage[0] for storage, *_ in tensors.values()}
        storages = {str(key): _storage(stream, kinds[str(key)]) for key in keys}
        return {name: _tensor(storages[row[0][1]], *row[1:]) for name, row in tensors.items()}
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"weights: the file is damaged or of another kind ({error})") from error
    except (AttributeError, IndexError, struct.error) as error:
        raise ModelError("weights: the file is damaged") from error


def _storage(stream: io.BytesIO, kind: str) -> Array:
    (count,) = struct.unpack("<q", stream.read(8))
    size = count * np.dtype(kind).itemsize
    content = stream.read(size) if size >= 0 else b""
    if len(content) != size:
        raise ModelError("weights: the file ends in the middle of a tensor")
    return np.frombuffer(content, kind).astype(np.float64)


def _tensor(storage: Array, offset: int, shape: tuple[int, ...], strides: Any) -> Array:
    """A copy; only tensors that lie in one piece occur."""
    count = int(np.prod(shape))
    piece = storage[offset : offset + count]
    packed = [int(np.prod(shape[at + 1 :])) for at in range(len(shape))]
    if piece.size != count or (count > 1 and list(strides) != packed):
        raise ModelError("weights: a tensor does not lie in its storage as it should")
    return piece.reshape(shape).copy()
