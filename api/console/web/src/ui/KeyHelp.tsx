import { t, type Word } from "../i18n";
import { Dialog } from "./Dialog";
import { counts, helping, sets } from "./keys";

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
          {[...sets.value]
            .reverse()
            .flatMap((keys) =>
              keys
                .filter(({ key }) => counts(key))
                .map(({ key, word }) => <Row key={key} name={named(key)} word={word} />),
            )}
          {counts("?") && <Row name="?" word="app.key_help" />}
        </tbody>
      </table>
      {!counts("?") && <p>{t("app.letters_are_off")}</p>}
      <button type="button" onClick={close}>
        {t("app.close")}
      </button>
    </Dialog>
  );
}

function Row({ name, word }: { name: string; word: Word }) {
  return (
    <tr>
      <th scope="row">
        <kbd>{name}</kbd>
      </th>
      <td>{t(word)}</td>
    </tr>
  );
}

function named(key: string): string {
  const word = NAMES[key];
  return word === undefined ? (ARROWS[key] ?? key) : t(word);
}
