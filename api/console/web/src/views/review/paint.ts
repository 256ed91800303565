/** The boxes of the tracks over a picture of the clip. */

import { type Box, type BoxTrack, boxAt } from "./overlay";

const CLOSE = 3;
/** Share of a box's side that is drawn at each of its corners: what is small is not painted over. */
const CORNER = 0.28;

/**
 * Draw what there is at a moment, and move the stage close to it where that is asked for.
 *
 * @param canvas lies over the video, as large as its pictures
 * @param stage holds both
 * @param when milliseconds since the Unix epoch; null where the clip's time is not known
 */
export function paint(
  canvas: HTMLCanvasElement,
  stage: HTMLElement,
  video: HTMLVideoElement,
  tracks: readonly BoxTrack[],
  when: number | null,
  close: boolean,
): void {
  const { videoWidth: width, videoHeight: height } = video;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  if (pen === null || width === 0) return;
  const colour = getComputedStyle(stage).getPropertyValue("--crossing");
  pen.clearRect(0, 0, width, height);
  const there = when === null ? [] : tracks.map((track) => ({ track, box: boxAt(track, when) }));
  const unit = width / Math.max(1, canvas.clientWidth) / (close ? CLOSE : 1); // a pixel of the screen
  for (const { track, box } of there) {
    if (box === null) continue;
    corners(pen, box, unit, colour);
    label(pen, box, unit, colour, `${track.kind} ${Math.round(box.score * 100)} %`, width);
  }
  const first = there.find(({ box }) => box !== null)?.box ?? null;
  if (!close) stage.style.transform = "";
  else if (first !== null) approach(stage, first, width, height);
}

function corners(pen: CanvasRenderingContext2D, box: Box, unit: number, colour: string): void {
  const room = 4 * unit;
  const [left, top, right, bottom] = [box.x1 - room, box.y1 - room, box.x2 + room, box.y2 + room];
  const [across, down] = [(right - left) * CORNER, (bottom - top) * CORNER];
  pen.beginPath();
  for (const [x, dx] of [
    [left, across],
    [right, -across],
  ] as const) {
    for (const [y, dy] of [
      [top, down],
      [bottom, -down],
    ] as const) {
      pen.moveTo(x + dx, y);
      pen.lineTo(x, y);
      pen.lineTo(x, y + dy);
    }
  }
  pen.lineWidth = 4 * unit;
  pen.strokeStyle = "#000000"; // an edge that any ground shows
  pen.stroke();
  pen.lineWidth = 2 * unit;
  pen.strokeStyle = colour;
  pen.stroke();
}

/** Over the box; where the picture ends before the words do, or begins below them, moved into it. */
function label(
  pen: CanvasRenderingContext2D,
  box: Box,
  unit: number,
  colour: string,
  text: string,
  width: number,
): void {
  pen.font = `600 ${12 * unit}px sans-serif`;
  const room = 4 * unit;
  const x = Math.max(room, Math.min(box.x1 - room, width - pen.measureText(text).width - room));
  const y = box.y1 - 9 * unit < 12 * unit ? box.y2 + 18 * unit : box.y1 - 9 * unit;
  pen.lineWidth = 3 * unit;
  pen.strokeStyle = "#000000";
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

/** Move the stage so that the middle of the box is in the middle of the screen, as far as the picture reaches. */
function approach(stage: HTMLElement, box: Box, width: number, height: number): void {
  const scale = Math.min(stage.clientWidth / width, stage.clientHeight / height);
  const [shownX, shownY] = [width * scale, height * scale];
  const x = (stage.clientWidth - shownX) / 2 + ((box.x1 + box.x2) / 2) * scale;
  const y = (stage.clientHeight - shownY) / 2 + ((box.y1 + box.y2) / 2) * scale;
  const by = (size: number, at: number) => Math.min(0, Math.max(size * (1 - CLOSE), size / 2 - at * CLOSE));
  stage.style.transform = `translate(${by(stage.clientWidth, x)}px, ${by(stage.clientHeight, y)}px) scale(${CLOSE})`;
}
