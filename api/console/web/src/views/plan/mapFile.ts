/** Map files as somebody chooses them: those that no browser reads (KMZ, GeoPackage, zipped Shapefile) the service does. */

import { ask } from "../../api/client";

/** What files begin with that are no text: a zip, and a GeoPackage. */
const PACKED = /^(PK|SQLite format 3)/;

/**
 * A file as GeoJSON or KML, and what is to be known of it; what is packed the service reads.
 *
 * @throws {Problem} when the service cannot be asked, or says why it cannot read it
 */
export async function textOf(file: Blob): Promise<{ text: string; notes: string[] }> {
  if (!PACKED.test(await file.slice(0, 15).text())) return { text: await file.text(), notes: [] };
  const headers = { "Content-Type": "application/octet-stream" };
  const answer = await ask("/plannings/shapes", { method: "POST", body: file, headers });
  const text = await answer.text();
  return { text, notes: (JSON.parse(text) as { notes: string[] }).notes };
}
