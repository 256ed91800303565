/**
 * A PMTiles archive, version 3: one file of tiles that is read by byte ranges.
 *
 * Written by the specification (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md): header, root
 * directory, metadata, leaf directories, tiles in the order of a Hilbert curve. Tiles of the same content are kept
 * once, and a run of them is one entry. The same tiles give the same bytes.
 */
import { gzipSync } from "node:zlib";

/**
 * @typedef {object} Tile
 * @property {number} z
 * @property {number} x
 * @property {number} y
 * @property {Uint8Array} data a vector tile (MVT), not compressed
 */
/** @typedef {{ id: number, run: number, offset: number, length: number }} Entry a run of 0 points to a leaf directory */
/**
 * @typedef {object} About
 * @property {Record<string, unknown>} metadata
 * @property {[number, number, number, number]} bounds west, south, east, north, degrees
 * @property {{ zoom: number, lon: number, lat: number }} center
 */

const HEADER_BYTES = 127;
const ROOT_LIMIT_BYTES = 16384 - HEADER_BYTES; // header and root directory are read in one request
const GZIP = 2;
const MVT = 1;

/**
 * The bytes of an archive.
 *
 * @param {Iterable<Tile>} tiles in any order, each at most once
 * @param {About} about
 * @returns {Buffer}
 * @throws {Error} when there are no tiles
 */
export function archiveOf(tiles, { metadata, bounds, center }) {
  const sorted = [...tiles].map((tile) => ({ ...tile, id: tileId(tile.z, tile.x, tile.y) }));
  sorted.sort((a, b) => a.id - b.id);
  const first = sorted[0];
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) {
    throw new Error("an archive needs at least one tile");
  }
  const { entries, contents } = packed(sorted);
  const { root, leaves } = directoriesOf(entries);
  const sections = [root, gzipped(Buffer.from(JSON.stringify(metadata))), leaves, Buffer.concat(contents)];

  const header = Buffer.alloc(HEADER_BYTES);
  header.write("PMTiles", 0, "latin1");
  header.writeUInt8(3, 7);
  let offset = HEADER_BYTES;
  sections.forEach((section, i) => {
    header.writeBigUInt64LE(BigInt(offset), 8 + 16 * i);
    header.writeBigUInt64LE(BigInt(section.length), 16 + 16 * i);
    offset += section.length;
  });
  [sorted.length, entries.length, contents.length].forEach((count, i) => {
    header.writeBigUInt64LE(BigInt(count), 72 + 8 * i);
  });
  const clustered = 1;
  header.set([clustered, GZIP, GZIP, MVT, first.z, last.z], 96);
  for (const [i, degrees] of bounds.entries()) {
    header.writeInt32LE(Math.round(degrees * 1e7), 102 + 4 * i);
  }
  header.writeUInt8(center.zoom, 118);
  header.writeInt32LE(Math.round(center.lon * 1e7), 119);
  header.writeInt32LE(Math.round(center.lat * 1e7), 123);
  return Buffer.concat([header, ...sections]);
}

/**
 * The number of a tile: all tiles of the zooms above it, then its place on the Hilbert curve of its own zoom.
 *
 * @param {number} z at most 15: the place is reckoned in 32 bits
 * @param {number} x
 * @param {number} y
 * @returns {number}
 */
export function tileId(z, x, y) {
  let place = (4 ** z - 1) / 3;
  for (let side = 2 ** z / 2; side >= 1; side /= 2) {
    const right = (x & side) > 0 ? 1 : 0;
    const lower = (y & side) > 0 ? 1 : 0;
    place += side * side * ((3 * right) ^ lower);
    if (lower === 0) {
      if (right === 1) {
        x = side - 1 - (x & (side - 1));
        y = side - 1 - (y & (side - 1));
      }
      [x, y] = [y, x];
    }
  }
  return place;
}

/**
 * @param {{ id: number, data: Uint8Array }[]} tiles in order of id
 * @returns {{ entries: Entry[], contents: Buffer[] }}
 */
function packed(tiles) {
  /** @type {Map<string, { offset: number, length: number }>} */
  const places = new Map();
  /** @type {Buffer[]} */
  const contents = [];
  /** @type {Entry[]} */
  const entries = [];
  let end = 0;
  for (const { id, data } of tiles) {
    const key = Buffer.from(data).toString("latin1");
    let place = places.get(key);
    if (place === undefined) {
      const content = gzipped(data);
      place = { offset: end, length: content.length };
      places.set(key, place);
      contents.push(content);
      end += content.length;
    }
    const before = entries.at(-1);
    if (before !== undefined && before.offset === place.offset && before.id + before.run === id) {
      before.run += 1;
    } else {
      entries.push({ id, run: 1, ...place });
    }
  }
  return { entries, contents };
}

/**
 * One directory where it fits beside the header, else a root over leaves that are as small as lets the root fit.
 *
 * @param {Entry[]} entries
 * @returns {{ root: Buffer, leaves: Buffer }}
 */
function directoriesOf(entries) {
  const whole = directory(entries);
  if (whole.length <= ROOT_LIMIT_BYTES) {
    return { root: whole, leaves: Buffer.alloc(0) };
  }
  for (let size = 1024; ; size *= 2) {
    /** @type {Buffer[]} */
    const leaves = [];
    /** @type {Entry[]} */
    const pointers = [];
    let offset = 0;
    for (let i = 0; i < entries.length; i += size) {
      const leaf = directory(entries.slice(i, i + size));
      pointers.push({ id: entries[i].id, run: 0, offset, length: leaf.length });
      leaves.push(leaf);
      offset += leaf.length;
    }
    const root = directory(pointers);
    if (root.length <= ROOT_LIMIT_BYTES) {
      return { root, leaves: Buffer.concat(leaves) };
    }
  }
}

/**
 * Column by column, as varints: differences of the ids, runs, lengths, and offsets (0: straight after the one before).
 *
 * @param {Entry[]} entries
 * @returns {Buffer}
 */
function directory(entries) {
  const columns = [
    [entries.length],
    entries.map(({ id }, i) => id - (i > 0 ? entries[i - 1].id : 0)),
    entries.map(({ run }) => run),
    entries.map(({ length }) => length),
    entries.map(({ offset }, i) => {
      const follows = i > 0 && offset === entries[i - 1].offset + entries[i - 1].length;
      return follows ? 0 : offset + 1;
    }),
  ];
  return gzipped(Buffer.from(columns.flat().flatMap(varint)));
}

/** @param {number} value */
function varint(value) {
  const bytes = [];
  while (value > 0x7f) {
    bytes.push((value % 128) | 0x80);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}

/** @param {Uint8Array} data */
function gzipped(data) {
  const bytes = gzipSync(data, { level: 9 });
  bytes[9] = 255; // "unknown" operating system: the same bytes from any machine
  return bytes;
}
