/**
 * Build the base map: `basemap.pmtiles` beside this file, vector tiles of the whole earth out of Natural Earth 1:10m.
 *
 * Run by `npm run basemap`; `node basemap/build.mjs FILE` writes elsewhere. The same data give the same bytes.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { archiveOf } from "./archive.mjs";
import { layersOf } from "./layers.mjs";
import { tilesOf } from "./tiles.mjs";

const ATLAS = createRequire(import.meta.url).resolve("world-atlas/countries-10m.json");
const LAND_BORDERS = fileURLToPath(new URL("../../../../missions/data/land_borders.json", import.meta.url));
const TARGET = fileURLToPath(new URL("basemap.pmtiles", import.meta.url));

/**
 * Zooms 0 to 7 have everything; MapLibre enlarges 7 beyond. A step of 1/4096 of its tiles is 76 m at the equator, so a
 * point is at most 38 m from where it belongs along either axis: well below the grid of the atlas (401 m by 187 m, so
 * up to 200 m and 93 m off), and a zoom more would be 3 MB for nothing.
 */
const EVERYTHING = { minZoom: 0, maxZoom: 7, extent: 4096 };

/**
 * The land borders are known to a metre, and plans are drawn over them, so they are cut once more: at zoom 10 a step
 * is 4.8 m at the equator, an error of 2.4 m at most. 38 m are half a pixel at that zoom: the change is not seen.
 */
const BORDERS = { minZoom: 10, maxZoom: 10, extent: 8192 };

const target = process.argv[2] ?? TARGET;
const layers = layersOf(read(ATLAS), read(LAND_BORDERS));
const archive = archiveOf([...tilesOf(layers, EVERYTHING), ...tilesOf({ boundaries: layers.boundaries }, BORDERS)], {
  metadata: {
    name: "Natural Earth 1:10m",
    description: "Sea, land, coastline, land borders and names of countries; borders as Natural Earth draws them",
    attribution: "Natural Earth",
    type: "baselayer",
    version: "1",
    vector_layers: [
      { id: "sea", fields: {}, ...zooms(EVERYTHING) },
      { id: "land", fields: {}, ...zooms(EVERYTHING) },
      { id: "coastline", fields: {}, ...zooms(EVERYTHING) },
      { id: "boundaries", fields: { left: "String", right: "String", disputed: "Boolean" }, ...zooms(BORDERS, 0) },
      { id: "labels", fields: { name: "String", alpha2: "String", rank: "Number" }, ...zooms(EVERYTHING) },
    ],
  },
  bounds: [-180, -85.0511287, 180, 85.0511287],
  center: { zoom: 1, lon: 0, lat: 20 },
});
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, archive);
process.stdout.write(`${target}: ${(archive.length / 1e6).toFixed(2)} MB\n`);

/**
 * @param {{ minZoom: number, maxZoom: number }} cut
 * @param {number} [minzoom]
 */
function zooms({ minZoom, maxZoom }, minzoom = minZoom) {
  return { minzoom, maxzoom: maxZoom };
}

/** @param {string} path */
function read(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
