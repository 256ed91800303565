/** The archive, read by the reader of the people who wrote the specification. */
import { PMTiles, zxyToTileId } from "pmtiles";
import { expect, test } from "vitest";
import { archiveOf, tileId } from "./archive.mjs";

const ABOUT = {
  metadata: { name: "tiles of a test" },
  bounds: /** @type {[number, number, number, number]} */ ([-10, -20, 30, 40.5]),
  center: { zoom: 2, lon: 5, lat: -6 },
};

/** @param {Buffer} bytes */
function read(bytes) {
  const getBytes = async (/** @type {number} */ offset, /** @type {number} */ length) => ({
    data: Uint8Array.from(bytes.subarray(offset, offset + length)).buffer,
  });
  return new PMTiles({ getKey: () => "archive", getBytes });
}

/** All tiles of zooms 0 to 7 but every seventh: enough for leaf directories. @param {(n: number) => string} content */
function tiles(content) {
  const all = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((z) =>
    Array.from({ length: 4 ** z }, (_, n) => ({ z, x: n % 2 ** z, y: Math.floor(n / 2 ** z) })),
  );
  return all.map((at, n) => ({ ...at, n, data: Buffer.from(content(n)) })).filter(({ n }) => n % 7 !== 3);
}

test("numbers of tiles are those of the specification", () => {
  for (const { z, x, y } of tiles(() => "")) {
    if (tileId(z, x, y) !== zxyToTileId(z, x, y)) expect([z, x, y, tileId(z, x, y)]).toBe(zxyToTileId(z, x, y));
  }
});

test("what was put in is read, and nothing else", async () => {
  const given = tiles((n) => (n % 5 === 0 ? "sea" : `tile ${(n * n) % 997}`));
  const archive = read(archiveOf([...given].reverse(), ABOUT));
  expect(await archive.getHeader()).toMatchObject({
    clustered: true,
    minZoom: 0,
    maxZoom: 7,
    numAddressedTiles: given.length,
    numTileContents: new Set(given.map(({ data }) => data.toString())).size,
    minLon: -10,
    maxLat: 40.5,
    centerZoom: 2,
  });
  expect((await archive.getHeader()).leafDirectoryLength).toBeGreaterThan(0);
  expect(await archive.getMetadata()).toEqual(ABOUT.metadata);
  for (const { z, x, y, data } of given.filter((_, n) => n % 97 === 0 || n < 100)) {
    const found = await archive.getZxy(z, x, y);
    expect(Buffer.from(/** @type {ArrayBuffer} */ (found?.data)).equals(data)).toBe(true);
  }
  expect(await archive.getZxy(1, 0, 1)).toBeUndefined();
});

test("the same tiles give the same bytes, and equal ones in a row cost one entry", async () => {
  const same = tiles(() => "land");
  const bytes = archiveOf(same, ABOUT);
  expect(archiveOf([...same].reverse(), ABOUT).equals(bytes)).toBe(true);
  const header = await read(bytes).getHeader();
  expect(header.numTileContents).toBe(1);
  expect(header.numTileEntries).toBeLessThan(same.length);
});

test("an archive of nothing is refused", () => {
  expect(() => archiveOf([], ABOUT)).toThrow("at least one tile");
});
