/**
 * The layers of the base map, as GeoJSON, out of Natural Earth 1:10m.
 *
 * Land, coastline and where names stand are out of the topology of the npm package world-atlas, whose vertices are
 * rounded to a grid of 0.0036 by 0.0017 degrees (401 m by 187 m at the equator). The land borders are those that the
 * planner uses (missions/data/land_borders.json, a grid of a metre). They are the same vertices before that rounding, so
 * each vertex of the topology that is one of a border is put where the planner has it: map and planner draw one line.
 *
 * @import { Feature, MultiLineString, MultiPolygon, Point, Polygon, Position } from "geojson"
 * @import { GeometryCollection, Topology } from "topojson-specification"
 */
import polylabel from "polylabel";
import { feature, mesh } from "topojson-client";

/** @typedef {{ name: string }} Named */
/** @typedef {Topology<{ countries: GeometryCollection<Named>, land: GeometryCollection }>} Atlas */
/** @typedef {{ name: string, alpha2: string | null, iso: boolean }} Country */
/**
 * @typedef {object} LandBorders
 * @property {{ scale: [number, number], translate: [number, number] }} transform
 * @property {Record<string, Country>} countries by ISO 3166 alpha-3 code
 * @property {Record<string, number[][]>} borders by "AAA-BBB": flat lines, a first point and then differences
 */
/** @typedef {Record<string, Feature[]>} Layers name of the layer to its features */

const LAT_LIMIT_DEG = 85.06; // just beyond the edge of the Mercator square
const LARGEST_DEG2 = 1300; // area of Russia's largest part, square degrees of a great circle
const LAST_RANK = 30; // of the Vatican, of which the grid of the atlas leaves a line

/**
 * What the land lies in. A tile without land has it too: so the sea is where it is known to be, and not wherever no tile
 * has come yet. @type {Feature<Polygon>}
 */
const EVERYWHERE = {
  type: "Feature",
  properties: {},
  geometry: { type: "Polygon", coordinates: [rectangle(-180, -LAT_LIMIT_DEG, 180, LAT_LIMIT_DEG)] },
};

/** Areas of the atlas that have no entry of their own in the planner's table. @type {Record<string, string>} */
const PART_OF = { "Ashmore and Cartier Is.": "Australia" };

/**
 * Everything that is drawn.
 *
 * @param {Atlas} atlas countries-10m.json of world-atlas
 * @param {LandBorders} borders land_borders.json of the planner
 * @returns {Layers}
 * @throws {Error} when a country of the atlas is not in the planner's table
 */
export function layersOf(atlas, borders) {
  const topology = placed(atlas, borders);
  const coast = mesh(topology, topology.objects.countries, (a, b) => a === b);
  return {
    sea: [EVERYWHERE],
    land: feature(topology, topology.objects.land).features.map((land) => withGeometry(land, {})),
    coastline: [
      lines(
        coast.coordinates.flatMap((line) => withoutSeam(unwrapped(line))),
        {},
      ),
    ],
    boundaries: boundaryFeatures(borders),
    labels: areasOf(topology, borders).filter(isLargestOfItsCode).map(labelOf),
  };
}

/**
 * The countries of the atlas, vertices of land borders where the planner has them. They are not drawn themselves: their
 * borders, coasts and names are.
 *
 * @param {Atlas} atlas
 * @param {LandBorders} borders
 * @returns {Feature<MultiPolygon>[]}
 * @throws {Error} when one is not in the planner's table
 */
export function countriesOf(atlas, borders) {
  return areasOf(placed(atlas, borders), borders);
}

/**
 * @param {Atlas} topology
 * @param {LandBorders} borders
 */
function areasOf(topology, borders) {
  const codes = new Map(Object.entries(borders.countries).map(([code, { name }]) => [name, code]));
  return feature(topology, topology.objects.countries).features.map((country) => {
    const { name } = country.properties;
    const code = codes.get(PART_OF[name] ?? name);
    if (code === undefined) {
      throw new Error(`land_borders.json has no country ${JSON.stringify(name)}: derive it anew from this atlas`);
    }
    const alpha2 = borders.countries[code].alpha2;
    return withGeometry(country, { name, code, ...(alpha2 === null ? {} : { alpha2 }) });
  });
}

/**
 * The borders as the planner has them. `disputed` is a border with an area that has no code of its own in ISO 3166.
 *
 * @param {LandBorders} borders
 * @returns {Feature<MultiLineString>[]}
 */
export function boundaryFeatures({ borders, countries, transform }) {
  return Object.entries(borders).map(([pair, parts]) => {
    const [left, right] = pair.split("-");
    const disputed = !(countries[left]?.iso && countries[right]?.iso);
    return lines(
      parts.map((flat) => unwrapped(decoded(flat, transform))),
      { left, right, disputed },
    );
  });
}

/**
 * The topology, unquantised, with the vertices of land borders where the planner has them.
 *
 * @param {Atlas} atlas
 * @param {LandBorders} borders
 * @returns {Atlas}
 */
function placed(atlas, borders) {
  const { scale, translate } = /** @type {LandBorders["transform"]} */ (atlas.transform);
  const points = Object.values(borders.borders).flatMap((parts) =>
    parts.flatMap((flat) => decoded(flat, borders.transform)),
  );
  // Half a metre of rounding puts one in 250 of them into the next cell: it is found there, where no other is.
  const half = borders.transform.scale.map((step) => step / 2);
  /** @type {Map<string, Position>} */
  const exact = new Map();
  for (const [dx, dy] of [
    [-1, -1],
    [-1, 1],
    [1, -1],
    [1, 1],
    [0, 0],
  ]) {
    for (const point of points) {
      const [lon, lat] = point;
      exact.set(cellOf([lon + dx * half[0], lat + dy * half[1]], { scale, translate }).join(), point);
    }
  }
  const arcs = atlas.arcs.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return exact.get(`${x},${y}`) ?? [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  const { transform: _, ...rest } = atlas;
  return { ...rest, arcs };
}

/**
 * @param {Position} point degrees
 * @param {LandBorders["transform"]} transform
 * @returns {Position} the cell of the grid that the point rounds to
 */
function cellOf([lon, lat], { scale, translate }) {
  return [Math.round((lon - translate[0]) / scale[0]), Math.round((lat - translate[1]) / scale[1])];
}

/**
 * @param {number[]} flat first point, then differences, in steps of the grid
 * @param {LandBorders["transform"]} transform
 * @returns {Position[]} degrees
 */
function decoded(flat, { scale, translate }) {
  let x = 0;
  let y = 0;
  /** @type {Position[]} */
  const points = [];
  for (let i = 0; i < flat.length; i += 2) {
    x += flat[i];
    y += flat[i + 1];
    points.push([x * scale[0] + translate[0], y * scale[1] + translate[1]]);
  }
  return points;
}

/**
 * @param {Feature} from a Polygon or a MultiPolygon
 * @param {Record<string, unknown>} properties
 * @returns {Feature<MultiPolygon>}
 */
function withGeometry(from, properties) {
  const geometry = /** @type {Polygon | MultiPolygon} */ (from.geometry);
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  const coordinates = polygons.map((polygon) => polygon.map((ring) => closedOverPole(unwrapped(ring))));
  return { type: "Feature", properties, geometry: { type: "MultiPolygon", coordinates } };
}

/**
 * A line whose longitudes do not jump where it crosses the antimeridian; they may go beyond 180 degrees.
 *
 * @param {Position[]} line
 * @returns {Position[]}
 */
function unwrapped(line) {
  let turn = 0;
  return line.map(([lon, lat], i) => {
    const step = lon - line[Math.max(i - 1, 0)]?.[0];
    turn -= Math.abs(step) > 180 ? 360 * Math.sign(step) : 0;
    return [lon + turn, lat];
  });
}

/**
 * A ring that went round the earth (Antarctica) does not end where it began: it is closed along the edge of the map.
 *
 * @param {Position[]} ring
 * @returns {Position[]}
 */
function closedOverPole(ring) {
  const first = ring[0];
  const last = ring[ring.length - 1];
  if (Math.abs(first[0] - last[0]) < 180) {
    return ring;
  }
  const edge = Math.sign(first[1]) * LAT_LIMIT_DEG;
  return [...ring, [last[0], edge], [first[0], edge], first];
}

/**
 * The parts of a coast that do not run along the antimeridian: there the atlas is cut, and there is no coast.
 *
 * @param {Position[]} line
 * @returns {Position[][]}
 */
function withoutSeam(line) {
  /** @type {Position[][]} */
  const parts = [[]];
  line.forEach((point, i) => {
    const previous = line[i - 1];
    if (previous !== undefined && onSeam(previous) && onSeam(point)) {
      parts.push([]);
    }
    parts.at(-1)?.push(point);
  });
  return parts.filter((part) => part.length > 1);
}

/** @param {number} west @param {number} south @param {number} east @param {number} north @returns {Position[]} */
function rectangle(west, south, east, north) {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}

/** @param {Position} point */
function onSeam([lon]) {
  return Math.abs(Math.abs(lon) - 180) < 1e-9;
}

/**
 * @param {Position[][]} coordinates
 * @param {Record<string, unknown>} properties
 * @returns {Feature<MultiLineString>}
 */
function lines(coordinates, properties) {
  return { type: "Feature", properties, geometry: { type: "MultiLineString", coordinates } };
}

/**
 * @param {Feature<MultiPolygon>} country
 * @param {number} index
 * @param {Feature<MultiPolygon>[]} all
 */
function isLargestOfItsCode(country, index, all) {
  const size = largestOf(country).size;
  return all.every((other, i) => {
    const same = i !== index && other.properties?.code === country.properties?.code;
    return !same || largestOf(other).size < size;
  });
}

/**
 * Where a country's name stands: the point of its largest part that is farthest from its outline, as the map shows it.
 * `rank` is 0 for the largest country and grows by one for each halving of its area.
 *
 * @param {Feature<MultiPolygon>} country
 * @returns {Feature<Point>}
 */
function labelOf(country) {
  const { polygon, size } = largestOf(country);
  const middle = polygon[0]?.[0]?.[1];
  const stretch = Math.cos((middle * Math.PI) / 180); // locally as on a Mercator map
  const flat = polygon.map((ring) => ring.map(([lon, lat]) => [lon * stretch, lat]));
  const [x, y] = polylabel(/** @type {[number, number][][]} */ (flat), Math.sqrt(size) / 100);
  const rank = Math.min(LAST_RANK, Math.max(0, Math.round(Math.log2(LARGEST_DEG2 / size))));
  return {
    type: "Feature",
    properties: { ...country.properties, rank },
    geometry: { type: "Point", coordinates: [x / stretch, y] },
  };
}

/**
 * @param {Feature<MultiPolygon>} country
 * @returns {{ polygon: Position[][], size: number }} the largest part and its area, square degrees of a great circle
 */
function largestOf(country) {
  const sized = country.geometry.coordinates.map((polygon) => ({ polygon, size: areaOf(polygon[0] ?? []) }));
  return sized.reduce((a, b) => (b.size > a.size ? b : a));
}

/** @param {Position[]} ring */
function areaOf(ring) {
  let sum = 0;
  ring.forEach(([lon, lat], i) => {
    const [lon0, lat0] = ring[i === 0 ? ring.length - 1 : i - 1];
    const sines = Math.sin((lat0 * Math.PI) / 180) + Math.sin((lat * Math.PI) / 180);
    sum += ((lon - lon0) * sines * 90) / Math.PI;
  });
  return Math.abs(sum);
}
