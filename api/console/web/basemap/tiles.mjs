/**
 * Vector tiles out of GeoJSON layers.
 *
 * @import { FeatureCollection } from "geojson"
 * @import { Layers } from "./layers.mjs"
 * @import { Tile } from "./archive.mjs"
 */
import { GeoJSONVT } from "@maplibre/geojson-vt";
import { fromGeojsonVt } from "@maplibre/vt-pbf";

const TILE_PX = 512; // side of a tile where MapLibre draws it at its own zoom
const TOLERANCE_PX = 0.5; // how far a line may move above the deepest zoom, where nothing is left out
const BUFFER_PX = 8; // beyond the edge of a tile: half the widest line, and the turn of it

const QUARTERS = /** @type {const} */ ([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);

/**
 * The tiles that have anything in them.
 *
 * @param {Layers} layers
 * @param {{ minZoom: number, maxZoom: number, extent: number }} cut `extent`: steps along the side of a tile; MapLibre
 *   itself reckons in 8192, finer ones are lost
 * @returns {Generator<Tile>}
 */
export function* tilesOf(layers, { minZoom, maxZoom, extent }) {
  const pixel = extent / TILE_PX;
  const options = {
    maxZoom,
    indexMaxZoom: 0,
    extent,
    tolerance: TOLERANCE_PX * pixel,
    buffer: BUFFER_PX * pixel,
  };
  const indices = Object.entries(layers).map(([name, features]) => {
    const collection = /** @type {FeatureCollection} */ ({ type: "FeatureCollection", features });
    return { name, index: new GeoJSONVT(collection, options) };
  });
  /** @type {[number, number, number][]} */
  const open = [[0, 0, 0]];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const [z, x, y] = at;
    const found = indices.flatMap(({ name, index }) => {
      const tile = index.getTile(z, x, y);
      return tile === null ? [] : [{ name, tile }];
    });
    // `numFeatures` counts what is too small to be seen here, too: it may be seen in the tiles below.
    if (z < maxZoom && found.some(({ tile }) => (tile.numFeatures ?? 0) > 0)) {
      for (const [dx, dy] of QUARTERS) {
        open.push([z + 1, 2 * x + dx, 2 * y + dy]);
      }
    }
    const seen = found.filter(({ tile }) => tile.features.length > 0);
    if (z >= minZoom && seen.length > 0) {
      const tiles = Object.fromEntries(seen.map(({ name, tile }) => [name, tile]));
      yield { z, x, y, data: fromGeojsonVt(tiles, { version: 2, extent }) };
    }
  }
}
