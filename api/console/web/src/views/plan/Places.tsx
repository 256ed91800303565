import { useEffect, useState } from "preact/hooks";
import { placeFormat } from "../../app/preferences";
import { t } from "../../i18n";
import { placeText, readPlace } from "../../ui/coordinates";
import type { Point } from "./draft";

interface Props {
  label: string;
  points: readonly Point[];
  /** Fewest that make sense. */
  least: number;
  set: (points: Point[]) => void;
}

/** Places as text, one a line, in any format: what the pointer draws can be read and written here too. */
export function Places({ label, points, least, set }: Props) {
  const written = points.map(([lon, lat]) => placeText(lat, lon, placeFormat.value)).join("\n");
  const [text, setText] = useState(written);
  const [fault, setFault] = useState("");
  useEffect(() => {
    setText(written);
    setFault("");
  }, [written]);
  const apply = () => {
    if (text === written) return;
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const read = lines.map(readPlace);
    const bad = read.indexOf(null);
    if (bad >= 0) return setFault(t("plan.bad_place", { line: bad + 1, text: lines[bad] ?? "" }));
    if (read.length < least) return setFault(t("plan.few_places", { count: least }));
    set(
      read.flatMap((place): Point[] =>
        place === null ? [] : [[Number(place.lon.toFixed(7)), Number(place.lat.toFixed(7))]],
      ),
    );
  };
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
          onInput={(event) => setText(event.currentTarget.value)}
          onBlur={apply}
        />
      </label>
      <p role="alert">{fault}</p>
    </details>
  );
}

interface OneProps {
  label: string;
  at: Point;
  set: (at: Point) => void;
}

/** One place as text, in any format. */
export function OnePlace({ label, at: [lon, lat], set }: OneProps) {
  const written = placeText(lat, lon, placeFormat.value);
  const [text, setText] = useState(written);
  useEffect(() => setText(written), [written]);
  const read = readPlace(text);
  return (
    <label class="text">
      {label}
      <input
        class="place"
        value={text}
        spellcheck={false}
        aria-invalid={read === null}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={() => {
          if (text === written) return;
          if (read === null) setText(written);
          else set([Number(read.lon.toFixed(7)), Number(read.lat.toFixed(7))]);
        }}
      />
    </label>
  );
}
