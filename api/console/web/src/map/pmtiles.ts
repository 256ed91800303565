import { addProtocol } from "maplibre-gl";
import { Protocol } from "pmtiles";
import BASE_MAP from "../../basemap/basemap.pmtiles?url";

/** Where the base map that came with the console is. */
export { BASE_MAP };

/** Teach MapLibre to read tiles out of PMTiles archives, by ranges of bytes. Call once, before the first map is made. */
export function wirePMTiles(): void {
  addProtocol("pmtiles", new Protocol().tile);
}

/** The tiles of an archive, as a source of a style names them. */
export function tilesOf(archive: string): string {
  return `pmtiles://${archive}/{z}/{x}/{y}`;
}
