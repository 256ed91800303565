"""GeoTIFF elevation in any coordinate system that PROJ knows, read block by block."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geo.errors import TerrainError
from geo.raster import Raster, Samples

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

__all__ = ["GeoTiff"]

Floats = NDArray[np.float64]

_BLOCK_SAMPLES = 1 << 20
_M_PER_DEG = 111_132.0
_METRES = {"", "m", "metre", "metres", "meter", "meters"}


class GeoTiff(Raster):
    """A GeoTIFF of elevations, metres AMSL.

    Points are taken to the file's own coordinate system and the samples are used where they are: nothing is resampled.
    A sample stands at the centre of its cell, for files of areas and of points alike (GDAL brings both to that form).
    Only blocks that a look-up touches are read, so that a file may be larger than memory.

    Raises
    ------
    TerrainError
        When rasterio is not installed, or the file cannot be read, has no place on the Earth, more than one band, or
        heights that are not metres above mean sea level.
    """

    margin = 0.5

    def __init__(self, path: Path) -> None:
        self.path = path
        with _opened(path) as dataset:
            self._check(dataset)
            self.rows, self.columns = int(dataset.height), int(dataset.width)
            self._transform = dataset.transform
            self._inverse = ~dataset.transform
            self._scale, self._offset = float(dataset.scales[0]), float(dataset.offsets[0])
            self._nodata = dataset.nodata
            self._integer = np.dtype(dataset.dtypes[0]).kind in "iu" and (self._scale, self._offset) == (1.0, 0.0)
            self.void = float(self._nodata) if self._integer and self._nodata is not None else None
            self.block_rows, self.block_columns = _block_shape(dataset)
            wkt = dataset.crs.to_wkt()
        self._to_file, geographic = _towards(wkt, path)
        self._turn = 360.0 if geographic else None
        self.round_the_world = geographic and abs(abs(self._transform.a) * self.columns - 360.0) < 1e-6 * 360.0
        self.bounds = self._bounds()
        middle = np.array([(self.rows - 1) / 2, (self.rows + 1) / 2]), np.full(2, (self.columns - 1) / 2)
        step = (abs(self._transform.e) or abs(self._transform.d)), (abs(self._transform.a) or abs(self._transform.b))
        if geographic:
            self.resolution_m = min(step) * _M_PER_DEG
        else:
            lat, _ = self.place(*middle)
            self.resolution_m = abs(float(lat[1] - lat[0])) * _M_PER_DEG or min(step)

    def indices(self, lat_deg: Floats, lon_deg: Floats) -> tuple[Floats, Floats]:
        """Row and column of points."""
        x, y = (lon_deg, lat_deg) if self._to_file is None else self._to_file.transform(lon_deg, lat_deg)
        if self._turn is not None:
            west = min(self._transform.c, self._transform.c + self._transform.a * self.columns)
            low = west - abs(self._transform.a)
            if x.size and (x.min() < low or x.max() >= low + self._turn):
                x = x - self._turn * np.floor((x - low) / self._turn)
        to = self._inverse
        if to.b == 0 and to.d == 0:
            return to.e * y + (to.f - 0.5), to.a * x + (to.c - 0.5)
        return to.d * x + to.e * y + (to.f - 0.5), to.a * x + to.b * y + (to.c - 0.5)

    def place(self, row: Floats, column: Floats) -> tuple[Floats, Floats]:
        """Latitude and longitude of rows and columns."""
        to, i, j = self._transform, np.asarray(row) + 0.5, np.asarray(column) + 0.5
        x, y = to.a * j + to.b * i + to.c, to.d * j + to.e * i + to.f
        if self._to_file is not None:
            x, y = self._to_file.transform(x, y, direction="INVERSE")
        return np.asarray(y, dtype=float), np.asarray(x, dtype=float)

    def load(self, block_row: int, block_column: int) -> Samples:
        """The samples of a block, integers as they are in the file, others with NaN for voids."""
        top, left = block_row * self.block_rows, block_column * self.block_columns
        height = min(self.block_rows + 1, self.rows - top)
        width = min(self.block_columns + 1, self.columns - left)
        with _opened(self.path) as dataset:
            samples = _read(dataset, self.path, (left, top, width, height))
            if self.round_the_world and left + width == self.columns:
                first = _read(dataset, self.path, (0, top, 1, height))
                samples = np.concatenate([samples, first], axis=1)
        if self._integer:
            return samples
        values = samples.astype(np.float64) if (self._scale, self._offset) != (1.0, 0.0) else samples.copy()
        missing = ~np.isfinite(values)
        if self._nodata is not None:
            missing |= samples == np.asarray(self._nodata).astype(samples.dtype)
        if values is not samples and (self._scale, self._offset) != (1.0, 0.0):
            values = values * self._scale + self._offset
        values[missing] = np.nan
        return values

    def _bounds(self) -> tuple[float, float, float, float]:
        # Along all four edges, since those of a projected file are bent in degrees.
        t = np.linspace(0.0, 1.0, 33)
        end_row, end_column = self.rows - 0.5, self.columns - 0.5
        rows = np.concatenate([t * 0 - 0.5, t * 0 + end_row, t * (end_row + 0.5) - 0.5, t * (end_row + 0.5) - 0.5])
        columns = np.concatenate(
            [t * (end_column + 0.5) - 0.5, t * (end_column + 0.5) - 0.5, t * 0 - 0.5, t * 0 + end_column]
        )
        lat, lon = self.place(rows, columns)
        if not (np.isfinite(lat).all() and np.isfinite(lon).all()) or np.abs(lat).max() > 90.001:
            raise TerrainError(f"{self.path}: its corners lie nowhere on the Earth: correct its transform or its CRS")
        if self._turn is None:
            # About the first point, so that a file astride the antimeridian does not seem to span the Earth.
            lon = lon[0] + np.mod(lon - lon[0] + 180.0, 360.0) - 180.0
        # A bent edge may bulge between the points looked at.
        spare = 0.0 if self._turn is not None else 0.02 * float(np.ptp(lon) + np.ptp(lat))
        return (
            float(lat.min()) - spare,
            float(lon.min()) - spare,
            float(lat.max()) + spare,
            float(lon.max()) + spare,
        )

    def _check(self, dataset: DatasetReader) -> None:
        if dataset.count != 1:
            raise TerrainError(f"{self.path}: has {dataset.count} bands: give a file with elevation as its only band")
        if np.dtype(dataset.dtypes[0]).kind not in "iuf":
            raise TerrainError(f"{self.path}: its samples are {dataset.dtypes[0]}: give real numbers")
        if min(dataset.width, dataset.height) < 2:
            raise TerrainError(f"{self.path}: {dataset.width} by {dataset.height} samples: give at least 2 by 2")
        if dataset.crs is None or dataset.transform.is_identity or dataset.transform.is_degenerate:
            raise TerrainError(f"{self.path}: does not say where it lies: give a GeoTIFF with transform and CRS")
        unit = (dataset.units[0] or "").strip().lower()
        if unit not in _METRES:
            raise TerrainError(f"{self.path}: its heights are in {unit!r}: convert them to metres")


def _towards(wkt: str, path: Path) -> tuple[Transformer | None, bool]:
    """How to come from WGS 84 longitude and latitude to the file's x and y, None if they are; if both are degrees."""
    try:
        crs = CRS.from_wkt(wkt)
        horizontal = crs.sub_crs_list[0] if crs.is_compound else crs
        if not (horizontal.is_geographic or horizontal.is_projected):
            raise TerrainError(f"{path}: its CRS {crs.name!r} is neither geographic nor projected: give another file")
        vertical = crs.sub_crs_list[1:] if crs.is_compound else []
        if len(horizontal.axis_info) > 2 or any("ellipsoid" in v.name.lower() for v in vertical):
            raise TerrainError(
                f"{path}: its CRS {crs.name!r} says heights above the ellipsoid: convert them to mean sea level"
            )
        for axis in (axis for v in vertical for axis in v.axis_info):
            if axis.unit_name.lower() not in _METRES or axis.direction.lower() != "up":
                raise TerrainError(
                    f"{path}: its CRS {crs.name!r} has heights in {axis.unit_name} {axis.direction}: convert them to "
                    "metres up"
                )
        transformer = Transformer.from_crs("EPSG:4326", horizontal, always_xy=True)
    except CRSError as error:
        raise TerrainError(f"{path}: its CRS is not understood ({error}): assign it the right one") from None
    if horizontal.is_geographic:
        lon, lat = np.array([-170.0, -10.0, 100.0]), np.array([-70.0, 5.0, 60.0])
        x, y = transformer.transform(lon, lat)
        if np.allclose(x, lon, rtol=0, atol=1e-9) and np.allclose(y, lat, rtol=0, atol=1e-9):
            return None, True
        return transformer, abs(horizontal.axis_info[0].unit_conversion_factor - np.pi / 180) < 1e-9
    return transformer, False


def _block_shape(dataset: DatasetReader) -> tuple[int, int]:
    """Rows and columns of a block of ours: whole blocks of the file, about a million samples."""
    height, width = dataset.block_shapes[0]
    columns = dataset.width if width >= dataset.width else max(width, 1024 // width * width)
    rows = max(1, _BLOCK_SAMPLES // (columns * height)) * height
    return min(rows, dataset.height), min(columns, dataset.width)


def _read(dataset: DatasetReader, path: Path, window: tuple[int, int, int, int]) -> NDArray[Any]:
    """Samples of a window: left column, top row, width, height."""
    import rasterio  # noqa: PLC0415  # an extra
    from rasterio.windows import Window  # noqa: PLC0415

    try:
        return np.asarray(dataset.read(1, window=Window(*window)))
    except rasterio.errors.RasterioError as error:
        raise TerrainError(f"{path}: cannot be read ({error}): fetch it again") from None


def _opened(path: Path) -> DatasetReader:
    try:
        import rasterio  # noqa: PLC0415  # an extra
    except ImportError:
        raise TerrainError(f"{path}: a GeoTIFF needs vedette[gis]: pip install 'vedette[gis]'") from None
    try:
        with warnings.catch_warnings():
            # A file that does not say where it lies is refused with an error of ours.
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            return rasterio.open(path)
    except rasterio.errors.RasterioError as error:
        raise TerrainError(f"{path}: cannot be read as a GeoTIFF ({error}): fetch it again") from None
