"""The Dataset of a run as a netCDF-4 file, written through h5py alone: xarray's way takes longer than a small simulation.

netCDF-4 is HDF5 whose dimensions are dimension scales (netCDF user's guide, appendix "File format specifications").
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from simulator.dataset import Contents

# What the standard has for the name of a dimension that has no variable of its own.
_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable. %10d"


def write_netcdf(contents: Contents, path: Path) -> None:
    """Write the file that `xarray.open_dataset` reads as the same Dataset. Raises OSError."""
    with _Patient(path, "w+") as file:
        try:
            _write(contents, file)
        finally:
            if file.failure:
                raise file.failure


class _Patient(io.FileIO):
    """A file that seems to take whatever is written, also on a full disk, and keeps what failed: where it is told so, HDF5 fails
    once more as it closes the file, and again when that is cleared away."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        left = memoryview(data)
        with self._kept():
            while left:
                left = left[super().write(left):]
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        with self._kept():
            return super().truncate(size)
        return size or 0

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = self.failure or error


def _write(contents: Contents, place: _Patient) -> None:
    import h5py

    arrays = {name: (dimensions, np.asarray(values)) for name, (dimensions, values, _) in contents.every().items()}
    sizes = {dimension: size for dimensions, array in arrays.values()
             for dimension, size in zip(dimensions, array.shape, strict=True)}
    with h5py.File(place, "w", track_order=True) as file:
        file.attrs.update(contents.attributes)
        for name, (_, array) in arrays.items():
            text = array.dtype.kind == "U"
            data = file.create_dataset(name, data=array.astype(object) if text else array,
                                       dtype=h5py.string_dtype() if text else array.dtype,
                                       fillvalue=None if text else np.nan)
            data.attrs.update(_attributes(contents, name))
            if not text:
                data.attrs["_FillValue"] = np.array([np.nan])
        for dimension, size in sizes.items():
            if dimension in arrays:
                file[dimension].make_scale(dimension)
            else:
                file.create_dataset(dimension, (size,), ">f4").make_scale(_NO_VARIABLE % size)
        scales = {dimension: file[dimension] for dimension in sizes}
        for name, (dimensions, _) in arrays.items():
            if dimensions != (name,):
                for along, dimension in zip(file[name].dims, dimensions, strict=True):
                    along.attach_scale(scales[dimension])
        for first, part in contents.parts:
            for name, values in part.items():
                file[name][first:first + len(values)] = values


def _attributes(contents: Contents, name: str) -> Iterator[tuple[str, Any]]:
    dimensions, _, attributes = contents.every()[name]
    yield from attributes.items()
    # By the CF conventions a variable names the coordinates that are not dimensions.
    beside = [other for other, (along, *_) in contents.coordinates.items()
              if other not in along and set(along) <= set(dimensions)]
    if beside and name not in contents.coordinates:
        yield "coordinates", " ".join(beside)
