import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { t } from "../i18n";
import { wanted } from "../map/wanted";
import { readPlace } from "../ui/coordinates";
import { useKeys } from "../ui/keys";

/** Where somebody writes a place, in any of the formats, for the maps to go there. */
export function GoTo() {
  const text = useSignal("");
  const wrong = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const hint = useId();
  useKeys([{ key: "/", word: "app.go_to", act: () => input.current?.focus() }]);

  function go(event: Event): void {
    event.preventDefault();
    const place = readPlace(text.value);
    wrong.value = place === null;
    if (place === null) return;
    wanted.value = place;
    input.current?.blur();
  }

  return (
    <form class="go-to" onSubmit={go}>
      <input
        ref={input}
        aria-label={t("app.go_to")}
        aria-invalid={wrong.value}
        aria-describedby={wrong.value ? hint : undefined}
        placeholder={t("app.go_to")}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          wrong.value = false;
        }}
      />
      {wrong.value && (
        <p id={hint} role="alert">
          {t("app.no_place")}
        </p>
      )}
    </form>
  );
}
