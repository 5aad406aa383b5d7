"""The Dataset of a run as a netCDF-4 file, written through h5py alone: xarray's way takes longer than a small simulation.

netCDF-4 is HDF5 whose dimensions are dimension scales (netCDF user's guide, appendix "File format specifications").
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from simulator.dataset import Contents

# What the standard has for the name of a dimension that has no variable of its own.
_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable. %10d"


def write_netcdf(contents: Contents, path: Path) -> None:
    """Write the file that `xarray.open_dataset` reads as the same Dataset. Raises OSError."""
    import h5py

    arrays = {name: (dimensions, np.asarray(values)) for name, (dimensions, values, _) in contents.every().items()}
    sizes = {dimension: size for dimensions, array in arrays.values()
             for dimension, size in zip(dimensions, array.shape, strict=True)}
    # In memory first: HDF5 on a full disk fails as it closes the file, and once more when that is cleared away.
    with h5py.File(path, "w", driver="core", backing_store=False, track_order=True) as file:
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
        file.flush()
        image = file.id.get_file_image()
    path.write_bytes(image)


def _attributes(contents: Contents, name: str) -> Iterator[tuple[str, Any]]:
    dimensions, _, attributes = contents.every()[name]
    yield from attributes.items()
    # By the CF conventions a variable names the coordinates that are not dimensions.
    beside = [other for other, (along, *_) in contents.coordinates.items()
              if other not in along and set(along) <= set(dimensions)]
    if beside and name not in contents.coordinates:
        yield "coordinates", " ".join(beside)
