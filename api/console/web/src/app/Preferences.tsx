import type { Signal } from "@preact/signals";
import { LANGUAGES, t, type Word } from "../i18n";
import { CLOCKS, clock, FORMATS, language, placeFormat, THEMES, theme } from "./preferences";

/** Theme, places, times and language, as everybody likes them. */
export function Preferences() {
  return (
    <fieldset class="preferences">
      <legend class="unseen">{t("app.preferences")}</legend>
      <Choice label={t("app.theme")} value={theme} choices={THEMES} word={(each) => `app.theme_${each}`} />
      <Choice label={t("app.places")} value={placeFormat} choices={FORMATS} word={(each) => `app.places_${each}`} />
      <Choice label={t("app.times")} value={clock} choices={CLOCKS} word={(each) => `app.times_${each}`} />
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
    </fieldset>
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
