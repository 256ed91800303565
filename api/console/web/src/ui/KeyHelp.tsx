import { t, type Word } from "../i18n";
import { Dialog } from "./Dialog";
import { helping, sets } from "./keys";

const NAMES: Readonly<Record<string, Word>> = { " ": "app.key_space" };
const ARROWS: Readonly<Record<string, string>> = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

/** The keys that count now, and what they do. */
export function KeyHelp() {
  if (!helping.value) return null;
  const close = () => {
    helping.value = false;
  };
  return (
    <Dialog title={t("app.keys")} onClose={close}>
      <table>
        <tbody>
          {[...sets.value].reverse().flatMap((keys) =>
            keys.map((one) => (
              <tr key={one.key}>
                <th scope="row">
                  <kbd>{named(one.key)}</kbd>
                </th>
                <td>{t(one.word)}</td>
              </tr>
            )),
          )}
          <tr>
            <th scope="row">
              <kbd>?</kbd>
            </th>
            <td>{t("app.key_help")}</td>
          </tr>
        </tbody>
      </table>
      <button type="button" onClick={close}>
        {t("app.close")}
      </button>
    </Dialog>
  );
}

function named(key: string): string {
  const word = NAMES[key];
  return word === undefined ? (ARROWS[key] ?? key) : t(word);
}
