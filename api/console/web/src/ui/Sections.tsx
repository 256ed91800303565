import type { ComponentType } from "preact";
import { place, to } from "../app/router";
import { may } from "../app/session";
import { t, type Word } from "../i18n";
import "./sections.css";

export interface Section {
  /** Second part of its address. */
  name: string;
  title: Word;
  /** It is there for whoever may do one of these. */
  needs: readonly string[];
  Content: ComponentType;
}

/** A view of several parts, of which one is shown: the first that the person may see, or the one of the address. */
export function Sections({ view, title, sections }: { view: string; title: Word; sections: readonly Section[] }) {
  const mine = sections.filter((section) => section.needs.some(may));
  const shown = mine.find((section) => section.name === place.value.parts[0]) ?? mine[0];
  return (
    <div class="sections">
      <div class="head">
        <h1>{t(title)}</h1>
        <nav aria-label={t(title)}>
          {mine.map((section) => (
            <a key={section.name} href={to(view, [section.name])} aria-current={section === shown ? "page" : undefined}>
              {t(section.title)}
            </a>
          ))}
        </nav>
      </div>
      {shown !== undefined && <shown.Content key={shown.name} />}
    </div>
  );
}
