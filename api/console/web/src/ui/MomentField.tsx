import { useId } from "preact/hooks";
import { clock } from "../app/preferences";
import { t } from "../i18n";
import { momentOf, writtenOf } from "./moments";
import { zoneText } from "./Time";
import "./field.css";

interface Props {
  label: string;
  /** RFC 3339; empty for none. */
  value: { value: string };
  required?: boolean;
}

/** A moment in the reader's clock, which is said: what is meant stays the same when the clock is switched. */
export function MomentField({ label, value, required = false }: Props) {
  const id = useId();
  const utc = clock.value === "utc";
  const written = writtenOf(value.value, utc);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {/* A browser writes the field in its own way, which may have the month first and no hour 13: here it is as elsewhere. */}
      <small id={`${id}-clock`}>
        {utc ? "UTC" : t("app.local_time", { zone: zoneText(value.value) })} {written.replace("T", " ")}
      </small>
      <input
        id={id}
        type="datetime-local"
        required={required}
        aria-describedby={`${id}-clock`}
        value={written}
        onInput={(event) => {
          value.value = momentOf(event.currentTarget.value, utc);
        }}
      />
    </div>
  );
}
