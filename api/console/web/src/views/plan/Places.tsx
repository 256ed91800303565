import { useEffect, useState } from "preact/hooks";
import { placeFormat } from "../../app/preferences";
import { t } from "../../i18n";
import type { Point } from "./draft";
import type { Part } from "./request";
import { hold, unreadOf } from "./unread";
import { readPlaces, textOf } from "./written";

interface Wanted {
  /** Of the line, base or zone whose places these are, and its name. */
  id: string;
  name: string;
  /** The part of the form that they are in. */
  part: Part;
  points: readonly Point[];
  /** Fewest and most that make sense. */
  least: number;
  most?: number;
  set: (points: Point[]) => void;
}

/** The text of places while it is written: taken when it is left, and held with its fault where it is no places. */
function useWritten({ id, name, part, points, least, most = Number.POSITIVE_INFINITY, set }: Wanted) {
  const format = placeFormat.value;
  const written = textOf(points, format);
  const unread = unreadOf(id, points);
  const [text, setText] = useState(unread?.text ?? written);
  useEffect(() => setText(unread?.text ?? written), [written, unread?.text]);
  const apply = () => {
    const read = readPlaces(text, points, format);
    if (text === written) hold(id, points, text, null);
    else if ("line" in read)
      hold(id, points, text, { part, word: "plan.bad_place", values: { name, line: read.line, text: read.text } });
    else if (read.points.length < least)
      hold(id, points, text, { part, word: "plan.few_places", values: { name, count: least } });
    else if (read.points.length > most) hold(id, points, text, { part, word: "plan.many_places", values: { name } });
    else {
      hold(id, points, text, null);
      set(read.points);
      setText(textOf(read.points, format));
    }
  };
  return { text, setText, apply, bad: unread !== null };
}

/** Places as text, one a line, in any format: what the pointer draws can be read and written here too. */
export function Places({ label, ...wanted }: Wanted & { label: string }) {
  const { points } = wanted;
  const { text, setText, apply, bad } = useWritten(wanted);
  return (
    <details>
      <summary>{t("plan.places", { count: points.length })}</summary>
      <label>
        {label}
        <textarea
          class="place"
          rows={Math.min(8, Math.max(2, points.length))}
          value={text}
          spellcheck={false}
          aria-invalid={bad}
          onInput={(event) => setText(event.currentTarget.value)}
          onChange={apply}
        />
      </label>
    </details>
  );
}

interface OneWanted extends Pick<Wanted, "id" | "name" | "part"> {
  label: string;
  at: Point;
  set: (at: Point) => void;
}

/** One place as text, in any format. */
export function OnePlace({ label, at, set, ...of }: OneWanted) {
  const only = ([place]: Point[]) => place !== undefined && set(place);
  const { text, setText, apply, bad } = useWritten({ ...of, points: [at], least: 1, most: 1, set: only });
  return (
    <label class="text">
      {label}
      <input
        class="place"
        value={text}
        spellcheck={false}
        aria-invalid={bad}
        onInput={(event) => setText(event.currentTarget.value)}
        onChange={apply}
      />
    </label>
  );
}
