import type { Signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { LANGUAGES, t, type Word } from "../i18n";
import { helping } from "../ui/keys";
import { CLOCKS, clock, FORMATS, KEYS, language, letters, placeFormat, THEMES, theme } from "./preferences";

/** Theme, places, times, keys and language, as everybody likes them. */
export function Preferences() {
  const details = useRef<HTMLDetailsElement>(null);
  /** Escape closes it, and so does the focus that goes elsewhere. */
  function leave(event: KeyboardEvent | FocusEvent): void {
    const open = details.current;
    if (open === null) return;
    if (event instanceof KeyboardEvent) {
      if (event.key !== "Escape" || !open.open) return;
      event.preventDefault(); // it is for nothing of the view behind it
      open.querySelector("summary")?.focus();
    } else if (!(event.relatedTarget instanceof Node) || open.contains(event.relatedTarget)) return;
    open.open = false;
  }
  /** The focus goes back to what stays in sight. */
  function help(): void {
    details.current?.querySelector("summary")?.focus();
    helping.value = true;
  }
  return (
    <details class="preferences" ref={details} onKeyDown={leave} onFocusOut={leave}>
      <summary>{t("app.preferences")}</summary>
      <fieldset>
        <legend class="unseen">{t("app.preferences")}</legend>
        <Choice label={t("app.theme")} value={theme} choices={THEMES} word={(each) => `app.theme_${each}`} />
        <Choice label={t("app.places")} value={placeFormat} choices={FORMATS} word={(each) => `app.places_${each}`} />
        <Choice label={t("app.times")} value={clock} choices={CLOCKS} word={(each) => `app.times_${each}`} />
        <Choice label={t("app.letters")} value={letters} choices={KEYS} word={(each) => `app.letters_${each}`} />
        {LANGUAGES.length > 1 && (
          <label>
            {t("app.language")}
            <select
              value={language.value}
              onChange={(event) => {
                language.value = event.currentTarget.value;
              }}
            >
              {LANGUAGES.map((tag) => (
                <option key={tag} value={tag} lang={tag}>
                  {new Intl.DisplayNames([tag], { type: "language" }).of(tag)}
                </option>
              ))}
            </select>
          </label>
        )}
        <button type="button" onClick={help}>
          {t("app.show_keys")}
        </button>
      </fieldset>
    </details>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: Signal<T>;
  choices: readonly T[];
  word: (choice: T) => Word;
}

function Choice<T extends string>({ label, value, choices, word }: ChoiceProps<T>) {
  return (
    <label>
      {label}
      <select
        value={value.value}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          value.value = choices.find((each) => each === chosen) ?? value.peek();
        }}
      >
        {choices.map((each) => (
          <option key={each} value={each}>
            {t(word(each))}
          </option>
        ))}
      </select>
    </label>
  );
}
