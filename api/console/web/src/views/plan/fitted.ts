/** Names in a drawing: how wide they are about, and as much of one as there is room for. */

/** Of a letter at 12 pixels, and of one of those that fill a square. */
const LETTER = 6.8;
const SQUARE = 12;

const letters = new Intl.Segmenter();

/** About how wide a text is, pixels. */
export function widthOf(text: string): number {
  return lettersOf(text).reduce((sum, letter) => sum + width(letter), 0);
}

/** The text, or its beginning and end with a gap between them: what tells names apart is often at their end. */
export function fitted(text: string, room: number): string {
  if (widthOf(text) <= room) return text;
  const all = lettersOf(text);
  let [from, to, left] = [0, all.length, room - LETTER];
  for (let isEnd = false; from < to; isEnd = !isEnd) {
    const letter = all[isEnd ? to - 1 : from] ?? "";
    left -= width(letter);
    if (left < 0) break;
    if (isEnd) to -= 1;
    else from += 1;
  }
  return `${all.slice(0, from).join("")}…${all.slice(to).join("")}`;
}

function lettersOf(text: string): string[] {
  return [...letters.segment(text)].map(({ segment }) => segment);
}

function width(letter: string): number {
  return (letter.codePointAt(0) ?? 0) >= 0x2e80 ? SQUARE : LETTER;
}
