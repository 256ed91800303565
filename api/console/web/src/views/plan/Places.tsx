import { useSignal } from "@preact/signals";
import { useEffect, useId, useState } from "preact/hooks";
import { placeFormat } from "../../app/preferences";
import { t } from "../../i18n";
import type { Point } from "./draft";
import type { Fault, Part } from "./request";
import { see } from "./See";
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
    const fault = faultOf(read, { name, part, least, most });
    if (text === written) hold(id, points, text, null);
    else if (fault !== null || "line" in read) hold(id, points, text, fault);
    else {
      hold(id, points, text, null);
      set(read.points);
      setText(textOf(read.points, format));
    }
  };
  return { text, setText, apply, bad: unread !== null };
}

/** What is wrong with places that were written; null where nothing is. */
function faultOf(
  read: ReturnType<typeof readPlaces>,
  { name, part, least, most = Number.POSITIVE_INFINITY }: Pick<Wanted, "name" | "part" | "least" | "most">,
): Fault | null {
  if ("line" in read) return { part, word: "plan.bad_place", values: { name, line: read.line, text: read.text } };
  if (read.points.length < least) return { part, word: "plan.few_places", values: { name, count: least } };
  return read.points.length > most ? { part, word: "plan.many_places", values: { name } } : null;
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

interface NewWanted extends Pick<Wanted, "part" | "least"> {
  /** What is begun, and what it is called while it has no name. */
  title: string;
  name: string;
  add: (points: Point[]) => void;
}

/** Begins a line, bases or a zone by their places: nobody needs a pointer to draw. */
export function NewPlaces({ title, add, ...wanted }: NewWanted) {
  const text = useSignal("");
  const wrong = useSignal<string | null>(null);
  const id = useId();
  function take(): void {
    const read = readPlaces(text.value, [], placeFormat.value);
    const fault = faultOf(read, wanted);
    wrong.value = fault === null ? null : t(fault.word, fault.values);
    if (fault !== null || "line" in read) return;
    add(read.points);
    see(read.points);
    text.value = "";
  }
  return (
    <details>
      <summary>{title}</summary>
      <label>
        {t("plan.new_places")}
        <textarea
          class="place"
          rows={2}
          value={text.value}
          spellcheck={false}
          aria-invalid={wrong.value !== null}
          aria-describedby={wrong.value === null ? undefined : id}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            wrong.value = null;
          }}
        />
      </label>
      {wrong.value !== null && (
        <p id={id} class="fault" role="alert">
          {wrong.value}
        </p>
      )}
      <button type="button" onClick={take}>
        {t("app.measure_add")}
      </button>
    </details>
  );
}
