"""Tiles and GeoTIFFs against scipy, rasterio and planes; seams, voids, and files that are not what they claim."""

import math
import sys
import zipfile

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.transform import Affine
from scipy.interpolate import RegularGridInterpolator

from geo import GridTerrain, TerrainError, TileTerrain, open_terrain

rng = np.random.default_rng(7)


def from_origin(west, north, x_step, y_step):
    return Affine(x_step, 0.0, west, 0.0, -y_step, north)


def hgt(folder, name, heights):
    path = folder / f"{name}.hgt"
    np.asarray(heights).astype(">i2").tofile(path)
    return path


def tif(path, heights, transform, crs="EPSG:4326", tags=None, scale=None, units=None, **profile):
    heights = np.asarray(heights)
    shape = dict(zip(("height", "width"), heights.shape, strict=True))
    profile = {"driver": "GTiff", "count": 1, "dtype": heights.dtype, "crs": crs, "transform": transform} | profile
    with rasterio.open(path, "w", **shape, **profile) as out:
        out.write(heights, 1)
        if tags:
            out.update_tags(**tags)
        if scale:
            out.scales, out.offsets = (scale[0],), (scale[1],)
        if units:
            out.units = (units,)
    return path


def oracle(heights, north, west, lat_step, lon_step):
    rows, columns = heights.shape
    lats, lons = north - np.arange(rows)[::-1] * lat_step, west + np.arange(columns) * lon_step
    return RegularGridInterpolator((lats, lons), heights[::-1].astype(float), bounds_error=False, fill_value=None)


def smooth(rows, columns, seed=0):
    y, x = np.mgrid[:rows, :columns]
    return np.round(800 + 500 * np.sin(y / 90 + seed) * np.cos(x / 70)).astype(np.int16)


@pytest.mark.parametrize(("rows", "columns"), [(1201, 1201), (3601, 3601), (3601, 1801)])
def test_hgt_agrees_with_scipy(tmp_path, rows, columns):
    heights = smooth(rows, columns)
    terrain = open_terrain(hgt(tmp_path, "N61W007", heights))
    lat, lon = rng.uniform(61, 62, 5000), rng.uniform(-7, -6, 5000)
    expected = oracle(heights, 62.0, -7.0, 1 / (rows - 1), 1 / (columns - 1))((lat, lon))
    assert np.allclose(terrain.elevation_m(lat, lon), expected, atol=1e-5)
    assert np.allclose(GridTerrain.from_hgt(tmp_path / "N61W007.hgt").elevation_m(lat, lon), expected, atol=1e-5)
    assert np.allclose(terrain.elevation_m([61, 62, 61, 62], [-7, -7, -6, -6]), heights[[-1, 0, -1, 0], [0, 0, -1, -1]])


def test_grid_with_steps_that_differ():
    heights = rng.uniform(0, 100, (11, 31))
    grid = GridTerrain(heights, 46.1, 8.0, 0.01, 0.005)
    lat, lon = rng.uniform(46.0, 46.1, 500), rng.uniform(8.0, 8.15, 500)
    assert np.allclose(grid.elevation_m(lat, lon), oracle(heights, 46.1, 8.0, 0.01, 0.005)((lat, lon)), atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(tmp_path, bad):
    grid = GridTerrain(np.zeros((3, 3)), 46.0, 8.0, 0.01)
    tiles = TileTerrain(hgt(tmp_path, "N46E008", smooth(1201, 1201)))
    for terrain in (grid, tiles):
        for place in ((bad, 8.0), (45.99, bad)):
            with pytest.raises(TerrainError, match="give"):
                terrain.elevation_m(*place)


def test_folder_reads_only_what_is_touched_and_holds_no_more_than_it_may(tmp_path):
    for east in range(8):
        hgt(tmp_path, f"N46E{east:03d}", smooth(1201, 1201, east))
    one = 1201 * 1201 * 2
    terrain = TileTerrain(tmp_path, cache_bytes=3 * one)
    assert terrain.held_bytes == 0
    terrain.elevation_m([46.5, 46.6], [2.5, 2.6])
    assert terrain.held_bytes == one
    lat, lon = rng.uniform(46, 47, 3000), rng.uniform(0, 8, 3000)
    got = terrain.elevation_m(lat, lon)
    assert terrain.held_bytes == 3 * one
    for east in range(8):
        own = (lon >= east) & (lon < east + 1)
        expected = oracle(smooth(1201, 1201, east), 47.0, east, 1 / 1200, 1 / 1200)((lat[own], lon[own]))
        assert np.allclose(got[own], expected, atol=1e-5)


@pytest.mark.parametrize(("west_name", "east_name", "west"), [("N46E008", "N46E009", 8), ("S17E179", "S17W180", 179)])
def test_hgt_seam_has_no_gap(tmp_path, west_name, east_name, west):
    whole = smooth(1201, 2401)
    hgt(tmp_path, west_name, whole[:, :1201])
    hgt(tmp_path, east_name, whole[:, 1200:])
    terrain = TileTerrain(tmp_path)
    south = int(west_name[1:3]) * (1 if west_name[0] == "N" else -1)
    lon = west + 1 + np.concatenate([np.linspace(-0.01, 0.01, 401), rng.uniform(-1, 1, 2000)])
    lat = rng.uniform(south, south + 1, len(lon))
    wrapped = np.where(lon > 180, lon - 360, lon)
    expected = oracle(whole, south + 1, west, 1 / 1200, 1 / 1200)((lat, lon))
    assert np.allclose(terrain.elevation_m(lat, wrapped), expected, atol=1e-5)
    assert np.allclose(terrain.elevation_m(lat, lon), expected, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.floats(46.001, 46.999), st.floats(8.001, 8.999))
def test_seams_between_files_of_areas_are_interpolated_across(tmp_path_factory, lat, lon):
    # Four files that share no sample: a point between the outer samples of two, or of all four at the middle.
    terrain = _quarters(tmp_path_factory)
    expected = oracle(_WHOLE, 47 - 0.0005, 8.0005, 0.001, 0.001)((lat, lon))
    assert float(terrain.elevation_m(lat, lon)) == pytest.approx(float(expected), abs=1e-4)


_WHOLE = rng.uniform(0, 1000, (1000, 1000)).astype(np.float32)
_made: dict[str, TileTerrain] = {}


def _quarters(factory):
    if "terrain" not in _made:
        folder = factory.mktemp("quarters")
        for i, j in np.ndindex(2, 2):
            part = _WHOLE[i * 500 : (i + 1) * 500, j * 500 : (j + 1) * 500]
            tif(folder / f"part{i}{j}.tif", part, from_origin(8 + j * 0.5, 47 - i * 0.5, 0.001, 0.001))
        _made["terrain"] = TileTerrain(folder)
    return _made["terrain"]


def test_seams_of_areas_at_the_very_seam(tmp_path_factory):
    terrain = _quarters(tmp_path_factory)
    lat = np.concatenate([np.full(300, 46.5), rng.uniform(46.4995, 46.5005, 300), rng.uniform(46.01, 46.99, 300)])
    lon = np.concatenate([rng.uniform(8.01, 8.99, 300), rng.uniform(8.4995, 8.5005, 300), np.full(300, 8.5)])
    expected = oracle(_WHOLE, 47 - 0.0005, 8.0005, 0.001, 0.001)((lat, lon))
    assert np.allclose(terrain.elevation_m(lat, lon), expected, atol=1e-3)
    # Past the outermost samples of all the edge of the area holds.
    assert float(terrain.elevation_m(47.0, 8.0)) == pytest.approx(float(_WHOLE[0, 0]))
    with pytest.raises(TerrainError, match=r"add N47E008\.hgt"):
        terrain.elevation_m(47.0002, 8.5)


def test_a_finer_file_counts_and_another_fills_its_voids(tmp_path):
    coarse = hgt(tmp_path, "N46E008", np.full((1201, 1201), 100))
    fine = np.full((400, 400), 500, dtype=np.int16)
    fine[:100, :100] = -9999
    tif(tmp_path / "fine.tif", fine, from_origin(8.4, 46.6, 0.0005, 0.0005), nodata=-9999)
    terrain = TileTerrain(tmp_path)
    assert terrain.elevation_m([46.45, 46.59, 46.9], [8.55, 8.41, 8.9]).tolist() == [500, 100, 100]
    coarse.unlink()
    with pytest.raises(TerrainError, match=r"fine\.tif has a void there"):
        TileTerrain(tmp_path).elevation_m(46.59, 8.41)


def test_missing_tiles_are_named(tmp_path):
    hgt(tmp_path, "S01W001", smooth(1201, 1201))
    terrain = TileTerrain(tmp_path)
    for place, name in (((0.5, 0.5), "N00E000"), ((-1.5, -0.5), "S02W001"), ((-0.5, 179.99), "S01E179")):
        with pytest.raises(TerrainError, match=rf"{place[0]:.5f}, {place[1]:.5f}: add {name}\.hgt.* to "):
            terrain.elevation_m(*place)
    single = open_terrain(tmp_path / "S01W001.hgt")
    with pytest.raises(TerrainError, match=r"S01W001\.hgt covers -1\.00000 to 0\.00000"):
        single.elevation_m(0.5, -0.5)


def test_void_of_a_tile_names_the_tile(tmp_path):
    heights = smooth(1201, 1201)
    heights[600, 600] = -32768
    terrain = TileTerrain(hgt(tmp_path, "N46E008", heights))
    with pytest.raises(TerrainError, match=r"N46E008\.hgt has a void there \(row 600, column 600\)"):
        terrain.elevation_m(46.5001, 8.5001)


def test_zipped_tile(tmp_path):
    heights = smooth(1201, 1201)
    plain = hgt(tmp_path, "N46E008", heights)
    with zipfile.ZipFile(tmp_path / "N46E008.SRTMGL3.hgt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "N46E008.hgt")
    plain.unlink()
    assert float(TileTerrain(tmp_path).elevation_m(47, 8)) == heights[0, 0]
    cut = (tmp_path / "N46E008.SRTMGL3.hgt.zip").read_bytes()[:-100]
    (tmp_path / "N46E008.SRTMGL3.hgt.zip").write_bytes(cut)
    with pytest.raises(TerrainError, match="fetch it again"):
        TileTerrain(tmp_path)


@pytest.mark.parametrize("kind", ["Area", "Point"])
def test_geotiff_samples_are_where_rasterio_has_them(tmp_path, kind):
    heights = rng.uniform(0, 500, (60, 80)).astype(np.float32)
    path = tif(tmp_path / "a.tif", heights, from_origin(8.0, 46.5, 0.002, 0.001), tags={"AREA_OR_POINT": kind})
    terrain = open_terrain(path)
    row, column = rng.integers(0, 60, 100), rng.integers(0, 80, 100)
    with rasterio.open(path) as dataset:
        assert dataset.tags()["AREA_OR_POINT"] == kind
        lon, lat = dataset.xy(row, column)
        expected = [v[0] for v in dataset.sample(zip(lon, lat, strict=True))]
    assert np.allclose(terrain.elevation_m(lat, lon), expected, atol=1e-3)
    lat, lon = rng.uniform(46.4405, 46.4995, 400), rng.uniform(8.001, 8.159, 400)
    expected = oracle(heights, 46.4995, 8.001, 0.001, 0.002)((lat, lon))
    assert np.allclose(terrain.elevation_m(lat, lon), expected, atol=1e-3)


@pytest.mark.parametrize(
    "profile",
    [
        {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"},
        {"compress": "lzw"},
    ],
)
def test_geotiff_in_blocks_within_bounded_memory(tmp_path, profile):
    heights = rng.integers(0, 3000, (2300, 2700)).astype(np.int16)
    path = tif(tmp_path / "large.tif", heights, from_origin(8.0, 48.0, 0.0005, 0.0005), **profile)
    terrain = TileTerrain(path, cache_bytes=5_000_000)
    lat, lon = rng.uniform(46.8505, 47.9995, 20_000), rng.uniform(8.0005, 9.3495, 20_000)
    expected = oracle(heights, 47.99975, 8.00025, 0.0005, 0.0005)((lat, lon))
    assert np.allclose(terrain.elevation_m(lat, lon), expected, atol=1e-3)
    assert 0 < terrain.held_bytes <= 5_000_000


def test_geotiff_upside_down_and_turned(tmp_path):
    heights = rng.uniform(0, 500, (60, 80)).astype(np.float32)
    up = tif(tmp_path / "up.tif", heights[::-1], Affine(0.001, 0, 8.0, 0, 0.001, 46.0))
    lat, lon = rng.uniform(46.0005, 46.0595, 200), rng.uniform(8.0005, 8.0795, 200)
    expected = oracle(heights, 46.0595, 8.0005, 0.001, 0.001)((lat, lon))
    assert np.allclose(open_terrain(up).elevation_m(lat, lon), expected, atol=1e-3)
    c, s = 0.001 * math.cos(0.5), 0.001 * math.sin(0.5)
    turned = Affine(c, s, 8.0, s, -c, 46.0)
    path = tif(tmp_path / "turned.tif", heights, turned)
    row, column = rng.integers(0, 59, 100), rng.integers(0, 79, 100)
    j, i = column + 0.5, row + 0.5
    lon, lat = 8 + c * j + s * i, 46 + s * j - c * i
    assert np.allclose(open_terrain(path).elevation_m(lat, lon), heights[row, column], atol=1e-3)


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:2056", "EPSG:3857"])
def test_projected_geotiff_is_used_in_its_own_system(tmp_path, crs):
    # A plane in the file's own metres: bilinear is exact on it, whatever the projection does to degrees.
    forward = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x0, y0 = (round(v, -2) for v in forward.transform(8.2, 46.4))
    x, y = np.meshgrid(x0 + 50 + np.arange(200) * 100, y0 - 50 - np.arange(150) * 100)
    path = tif(tmp_path / "p.tif", 1000 + 0.01 * (x - x0) + 0.02 * (y - y0), from_origin(x0, y0, 100, 100), crs)
    terrain = open_terrain(path)
    lon, lat = forward.transform(
        rng.uniform(x0 + 50, x0 + 19950, 500), rng.uniform(y0 - 14950, y0 - 50, 500), direction="INVERSE"
    )
    px, py = forward.transform(lon, lat)
    assert np.allclose(terrain.elevation_m(lat, lon), 1000 + 0.01 * (px - x0) + 0.02 * (py - y0), atol=1e-6)
    assert 60 < terrain.resolution_m < 105
    both = tmp_path / "both"
    both.mkdir()
    path.rename(both / "p.tif")
    hgt(both, "N46E008", np.full((401, 401), 7))
    got = TileTerrain(both).elevation_m([lat[0], 46.95], [lon[0], 8.95])
    assert np.allclose(got, [1000 + 0.01 * (px[0] - x0) + 0.02 * (py[0] - y0), 7])


def test_world_wide_geotiff_closes_at_the_antimeridian(tmp_path):
    heights = (np.arange(180 * 360, dtype=np.float32) % 8191).reshape(180, 360)
    terrain = open_terrain(tif(tmp_path / "world.tif", heights, from_origin(-180, 90, 1, 1)))
    assert terrain.elevation_m([10.5] * 3, [179.75, -179.75, 540.25]).tolist() == pytest.approx(
        [0.75 * heights[79, -1] + 0.25 * heights[79, 0], *[0.25 * heights[79, -1] + 0.75 * heights[79, 0]] * 2]
    )


def test_scale_offset_and_voids_of_reals(tmp_path):
    stored = rng.integers(1, 3000, (20, 20)).astype(np.int16)
    stored[5, 5] = 0
    path = tif(tmp_path / "s.tif", stored, from_origin(8, 46, 0.01, 0.01), nodata=0, scale=(0.5, -100.0))
    terrain = open_terrain(path)
    assert float(terrain.elevation_m(45.995, 8.005)) == pytest.approx(stored[0, 0] * 0.5 - 100)
    with pytest.raises(TerrainError, match="void"):
        terrain.elevation_m(45.945, 8.055)
    reals = rng.uniform(0, 9, (20, 20)).astype(np.float32)
    reals[3, 3], reals[9, 9] = np.nan, np.float32(-3.4e38)
    path = tif(tmp_path / "r.tif", reals, from_origin(8, 46, 0.01, 0.01), nodata=-3.4e38)
    for row in (3, 9):
        with pytest.raises(TerrainError, match="void"):
            open_terrain(path).elevation_m(46 - 0.01 * (row + 0.5), 8 + 0.01 * (row + 0.5))


@pytest.mark.parametrize("mark", [-32768, -9999, -501, 9001, 32767])
@pytest.mark.parametrize("kind", [np.int16, np.float32, "hgt"])
def test_what_is_no_height_of_dry_land_is_a_void_though_no_file_says_so(tmp_path, kind, mark):
    """Beside such a mark a line that was taken for ground would lead thousands of metres down."""
    heights = smooth(1201, 1201)
    heights[600:620, 600:620] = mark
    heights[10, 10], heights[10, 30] = -438, 8849
    if kind == "hgt":
        path = hgt(tmp_path, "N46E008", heights)
        assert np.isnan(GridTerrain.from_hgt(path).known_elevation_m(46.4917, 8.5083))
    else:
        path = tif(
            tmp_path / "marked.tif",
            heights.astype(kind),
            from_origin(8 - 0.5 / 1200, 47 + 0.5 / 1200, 1 / 1200, 1 / 1200),
        )
    terrain = open_terrain(path)
    row, column = np.mgrid[598:622:0.5, 598:622:0.5]
    found = terrain.known_elevation_m(47 - row / 1200, 8 + column / 1200)
    beside = (row < 598.9) | (row > 620.1) | (column < 598.9) | (column > 620.1)
    assert np.isfinite(found[beside]).all()
    assert np.isnan(found[(row > 599.1) & (row < 619.9) & (column > 599.1) & (column < 619.9)]).all()
    assert found[beside].min() > 299
    assert found[beside].max() < 1301
    for at, height in ((10, -438), (30, 8849)):
        assert float(terrain.elevation_m(47 - 10 / 1200, 8 + at / 1200)) == pytest.approx(height, abs=0.01)
    with pytest.raises(TerrainError, match="has a void there"):
        terrain.elevation_m(46.4917, 8.5083)


GOOD = {"heights": np.zeros((4, 4), np.int16), "transform": from_origin(8, 46, 0.01, 0.01)}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"crs": None}, "does not say where it lies"),
        ({"crs": "EPSG:4979"}, "heights above the ellipsoid"),
        ({"crs": "EPSG:4326+6360"}, "heights are in 'us survey foot'"),
        ({"crs": "EPSG:4326+5715"}, "metre down"),
        ({"units": "ft"}, "heights are in 'ft'"),
        ({"transform": from_origin(8, 460000, 10, 10)}, "nowhere on the Earth"),
        ({"dtype": "complex64"}, "give real numbers"),
    ],
)
def test_geotiffs_that_are_refused(tmp_path, fields, says):
    fields = GOOD | fields
    fields["heights"] = fields["heights"].astype(fields.get("dtype", np.int16))
    path = tif(tmp_path / "bad.tif", **fields)
    with pytest.raises(TerrainError, match=says) as caught:
        open_terrain(path)
    assert str(path) in str(caught.value)


def test_compound_system_with_heights_above_sea_level_is_taken(tmp_path):
    path = tif(tmp_path / "c.tif", np.full((4, 4), 12, np.int16), GOOD["transform"], "EPSG:4326+5773")
    assert float(open_terrain(path).elevation_m(45.98, 8.02)) == 12


def test_files_that_are_no_terrain(tmp_path):
    with pytest.raises(TerrainError, match="no such file or folder"):
        open_terrain(tmp_path / "absent")
    with pytest.raises(TerrainError, match="holds no elevation"):
        open_terrain(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(TerrainError, match="convert it"):
        open_terrain(tmp_path / "notes.txt")
    (tmp_path / "junk.tif").write_bytes(b"II*\0 and then nothing")
    with pytest.raises(TerrainError, match=r"junk\.tif: cannot be read"):
        open_terrain(tmp_path / "junk.tif")
    for name in ("hill.hgt", "N95E008.hgt"):
        (tmp_path / name).write_bytes(b"\0" * 8)
        with pytest.raises(TerrainError, match="south-west corner"):
            open_terrain(tmp_path / name)


def test_geotiff_that_is_cut_off_is_named_when_it_is_met(tmp_path):
    heights = rng.integers(0, 3000, (1500, 1500)).astype(np.int16)
    path = tif(tmp_path / "a.tif", heights, from_origin(8.0, 48.0, 0.0005, 0.0005), compress="lzw")
    raw = path.read_bytes()
    # Its directory of blocks lies at the begin: the samples at the end go missing.
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(TerrainError, match=r"a\.tif: cannot be read"):
        open_terrain(path).elevation_m(47.26, 8.5)


def test_without_rasterio_a_geotiff_says_what_to_install(tmp_path, monkeypatch):
    path = tif(tmp_path / "a.tif", **GOOD)
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(TerrainError, match=r"needs vedette\[gis\]: pip install 'vedette\[gis\]'"):
        open_terrain(path)


@pytest.mark.data
def test_real_tile_of_the_alps(shared_data):
    path = shared_data("terrain/N46E008.tif")
    terrain = open_terrain(path)
    with rasterio.open(path) as dataset:
        raw, void = dataset.read(1), dataset.nodata
    # The tile says that its samples are points on the degree: the first is at its very corner.
    assert float(terrain.elevation_m(47.0, 8.0)) == pytest.approx(raw[0, 0], abs=1e-6)
    good = raw != void
    whole = good[:-1, :-1] & good[1:, :-1] & good[:-1, 1:] & good[1:, 1:]
    row, column = (v[:20_000] for v in rng.permutation(np.argwhere(whole)).T)
    lat, lon = 47 - (row + rng.uniform(0, 1, len(row))) / 1200, 8 + (column + rng.uniform(0, 1, len(row))) / 1200
    expected = oracle(np.where(good, raw, np.nan), 47.0, 8.0, 1 / 1200, 1 / 1200)((lat, lon))
    assert np.allclose(terrain.elevation_m(lat, lon), expected, atol=1e-4)
    row, column = np.argwhere(~good)[0]
    with pytest.raises(TerrainError, match=r"N46E008\.tif has a void there"):
        terrain.elevation_m(47 - row / 1200, 8 + column / 1200)
