import { addProtocol } from "maplibre-gl";
import { PMTiles, Protocol } from "pmtiles";
import BASE_MAP from "../../basemap/basemap.pmtiles?url";

/** Where the base map that came with the console is. */
export { BASE_MAP };

/**
 * Teach MapLibre to read tiles out of PMTiles archives, by ranges of bytes. Call once, before the first map is made: where
 * the tiles of the base map lie is read while it is made, not when the first of them is wanted.
 */
export function wirePMTiles(): void {
  const protocol = new Protocol();
  const base = new PMTiles(BASE_MAP);
  protocol.add(base);
  base.getHeader().catch(() => protocol.tiles.delete(BASE_MAP)); // the first tile asks again
  addProtocol("pmtiles", protocol.tile);
}

/** The tiles of an archive, as a source of a style names them. */
export function tilesOf(archive: string): string {
  return `pmtiles://${archive}/{z}/{x}/{y}`;
}
