"""The Dataset of a run as a netCDF-4 file, written without xarray: importing it takes longer than a small simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.dataset import Contents


def write_netcdf(contents: Contents, path: Path) -> None:
    """Write the file that `xarray.open_dataset` reads as the same Dataset. Raises OSError."""
    import h5netcdf
    import h5py

    with h5netcdf.File(path, "w") as file:
        file.attrs.update(contents.attributes)
        for name, (dimensions, values, attributes) in (contents.coordinates | contents.variables).items():
            array = np.asarray(values)
            for dimension, size in zip(dimensions, array.shape, strict=True):
                if dimension not in file.dimensions:
                    file.dimensions[dimension] = size
            text = array.dtype.kind == "U"
            variable = file.create_variable(name, dimensions, h5py.string_dtype() if text else array.dtype,
                                            array.astype(object) if text else array, fillvalue=None if text else np.nan)
            variable.attrs.update(attributes)
            # By the CF conventions a variable names the coordinates that are not dimensions.
            beside = [other for other, (along, *_) in contents.coordinates.items()
                      if other not in along and name not in contents.coordinates and set(along) <= set(dimensions)]
            if beside:
                variable.attrs["coordinates"] = " ".join(beside)
