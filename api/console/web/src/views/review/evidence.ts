/** What a crossing shows: its clip, and what the clip's times and boxes are. A few are kept, so that the next is there. */

import { ask } from "../../api/client";
import { members, number } from "../../api/feature";
import { Problem } from "../../api/problem";
import { type Crossing, pictureOf } from "./crossing";
import { type BoxTrack, nearestBox, tracksOf } from "./overlay";
import { type Kept, Shelf } from "./shelf";

/** Of how many crossings clips are kept: this one, the next, and those looked at before. */
const KEPT = 4;
/** Of how many that were pointed at. */
const PREVIEWED = 2;
/** A clip above this is played from the service piece by piece, and not kept here. */
const LARGEST = 96 << 20;

/** When the clip's pictures were taken. */
export interface ClipTime {
  /** Of the first and the last picture, milliseconds since the Unix epoch. */
  start: number;
  end: number;
  /** Seconds from one picture to the next. */
  step: number;
}

export interface Evidence {
  /** Address of the clip for a player; null where there is none. */
  clip: string | null;
  /** The clip at the service, to be kept. */
  download: string | null;
  time: ClipTime | null;
  tracks: readonly BoxTrack[];
  picture: string | null;
}

const shelf = new Shelf(KEPT, release);
const previews = new Shelf(PREVIEWED, release);

/** The evidence of the crossing that is open, in its present revision: it stays while no other one is opened. */
export function openEvidence(crossing: Crossing): Promise<Evidence> {
  shelf.hold(evidenceKey(crossing));
  return evidenceOf(crossing);
}

/** The evidence of a crossing that may be opened next; once it is here it stays for a while. */
export function evidenceOf(crossing: Crossing): Promise<Evidence> {
  const key = evidenceKey(crossing);
  return shelf.get(key, () => previews.take(key) ?? fetching(crossing));
}

/** The evidence of a crossing that somebody points at: it takes the place of no other one's. */
export function previewOf(crossing: Crossing): Promise<Evidence> {
  const key = evidenceKey(crossing);
  return shelf.peek(key) ?? previews.get(key, () => fetching(crossing));
}

/** What tells the evidence of one crossing, in one revision, from any other. */
export function evidenceKey(crossing: Crossing): string {
  return `${crossing.id} ${crossing.revision ?? ""} ${[...crossing.parts.keys()].join(" ")}`;
}

function release({ clip }: Evidence): void {
  if (clip?.startsWith("blob:")) URL.revokeObjectURL(clip);
}

function fetching(crossing: Crossing): Kept<Evidence> {
  const stop = new AbortController();
  return { thing: fetched(crossing, stop.signal), stop };
}

async function fetched(crossing: Crossing, signal: AbortSignal): Promise<Evidence> {
  const { parts } = crossing;
  const [manifest, boxes, clip] = await Promise.all([
    json(parts.get("manifest"), signal),
    json(parts.get("overlay.json"), signal),
    clipOf(parts.get("clip"), signal),
  ]);
  return {
    clip,
    download: parts.get("clip") ?? null,
    time: timeOf(manifest),
    tracks: tracksOf(boxes),
    picture: pictureOf(crossing),
  };
}

function timeOf(manifest: unknown): ClipTime | null {
  const clip = members(members(manifest).clip);
  const [start, end, pictures] = [number(clip.start_us), number(clip.end_us), number(clip.pictures)];
  if (start === null || end === null) return null;
  const steps = Math.max(1, (pictures ?? 1) - 1);
  return { start: start / 1000, end: end / 1000, step: Math.max(0.001, (end - start) / 1e6 / steps) };
}

async function clipOf(href: string | undefined, signal: AbortSignal): Promise<string | null> {
  if (href === undefined) return null;
  const response = await there(href, signal);
  if (response === null) return null;
  if (Number(response.headers.get("Content-Length") ?? 0) > LARGEST) {
    await response.body?.cancel();
    return href;
  }
  return URL.createObjectURL(await response.blob());
}

async function json(href: string | undefined, signal: AbortSignal): Promise<unknown> {
  if (href === undefined) return null;
  const response = await there(href, signal);
  return response === null ? null : ((await response.json()) as unknown);
}

/** A piece that is announced may not have come yet, or may not be seen. */
async function there(href: string, signal: AbortSignal): Promise<Response | null> {
  try {
    return await ask(href, { signal });
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

const WIDTH = 168;
const HEIGHT = 108;
const AT_ONCE = 3;
const MOST_THUMBNAILS = 300;
const thumbnails = new Map<string, Promise<string | null>>();
const waiting: (() => void)[] = [];
let busy = 0;

/**
 * A small picture of the moment, cut to what was seen where the boxes are known: in the whole picture of a drone a
 * person is a speck. Null where there is no picture.
 *
 * @returns address of the picture in this page
 */
export function thumbnailOf(crossing: Crossing): Promise<string | null> {
  const key = evidenceKey(crossing);
  const kept = thumbnails.get(key);
  if (kept !== undefined) return kept;
  const made = inTurn(() => cut(crossing));
  thumbnails.set(key, made);
  made.catch(() => thumbnails.delete(key));
  for (const [old, picture] of [...thumbnails].slice(0, -MOST_THUMBNAILS)) {
    thumbnails.delete(old);
    picture.then((url) => url !== null && URL.revokeObjectURL(url)).catch(() => undefined);
  }
  return made;
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (busy >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  busy += 1;
  try {
    return await work();
  } finally {
    busy -= 1;
    waiting.pop()?.(); // the latest first: it is what is looked at now
  }
}

async function cut(crossing: Crossing): Promise<string | null> {
  const href = pictureOf(crossing);
  if (href === null) return null;
  const signal = new AbortController().signal;
  const [response, boxes] = await Promise.all([there(href, signal), json(crossing.parts.get("overlay.json"), signal)]);
  if (response === null) return null;
  const whole = await createImageBitmap(await response.blob());
  const box = nearestBox(tracksOf(boxes), Date.parse(crossing.time));
  const shape = WIDTH / HEIGHT;
  let [width, height] = [Math.min(whole.width, whole.height * shape), Math.min(whole.height, whole.width / shape)];
  let [x, y] = [(whole.width - width) / 2, (whole.height - height) / 2];
  if (box !== null) {
    height = Math.min(height, Math.max(64, 2.5 * (box.y2 - box.y1), (2.5 * (box.x2 - box.x1)) / shape));
    width = height * shape;
    x = Math.max(0, Math.min(whole.width - width, (box.x1 + box.x2 - width) / 2));
    y = Math.max(0, Math.min(whole.height - height, (box.y1 + box.y2 - height) / 2));
  }
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  canvas.getContext("2d")?.drawImage(whole, x, y, width, height, 0, 0, WIDTH, HEIGHT);
  whole.close();
  return URL.createObjectURL(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 }));
}
