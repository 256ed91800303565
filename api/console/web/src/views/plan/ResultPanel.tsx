import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { t, type Word } from "../../i18n";
import { Adopt } from "./Adopt";
import { Files } from "./Files";
import { Heights } from "./Heights";
import { close, type Planning, type Result } from "./planning";
import { Rules } from "./Rules";
import { Send } from "./Send";
import { Sorties } from "./Sorties";
import { Summary } from "./Summary";
import { Timeline } from "./Timeline";

const TABS = ["summary", "sorties", "heights", "timeline", "rules", "files", "adopt", "send"] as const;
type Tab = (typeof TABS)[number];

/** What the planner found, a tab for each question that is asked of it. */
export function ResultPanel({ planning, result }: { planning: Planning; result: Result }) {
  const open = useSignal<Tab>("summary");
  const list = useRef<HTMLDivElement>(null);
  const word = (tab: Tab): Word => `plan.tab_${tab}`;
  function step(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    open.value = TABS[(TABS.indexOf(open.value) + by + TABS.length) % TABS.length] ?? "summary";
    list.current?.querySelector<HTMLElement>(`#plan-tab-${open.value}`)?.focus();
  }
  const broken = !result.validation.kept;
  return (
    <section class="result" aria-label={t("plan.result")}>
      <div class="result-head">
        <div class="tabs" role="tablist" aria-label={t("plan.result")} ref={list} onKeyDown={step}>
          {TABS.map((tab) => (
            <button
              type="button"
              key={tab}
              id={`plan-tab-${tab}`}
              role="tab"
              aria-selected={open.value === tab}
              aria-controls="plan-tab-panel"
              tabIndex={open.value === tab ? 0 : -1}
              onClick={() => {
                open.value = tab;
              }}
            >
              {t(word(tab))}
              {tab === "rules" && broken ? " ⚠" : ""}
            </button>
          ))}
        </div>
        <button type="button" class="plain" onClick={close}>
          {t("plan.earlier")}
        </button>
      </div>
      <div
        class="tab-panel"
        id="plan-tab-panel"
        role="tabpanel"
        aria-labelledby={`plan-tab-${open.value}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by key
        tabIndex={0}
      >
        {contents(open.value, planning, result, () => {
          open.value = "adopt";
        })}
      </div>
    </section>
  );
}

function contents(tab: Tab, planning: Planning, result: Result, toAdopt: () => void): ComponentChildren {
  switch (tab) {
    case "summary":
      return <Summary planning={planning} result={result} />;
    case "sorties":
      return <Sorties result={result} />;
    case "heights":
      return <Heights result={result} />;
    case "timeline":
      return <Timeline shift={result.shift} />;
    case "rules":
      return <Rules result={result} />;
    case "files":
      return <Files planning={planning} result={result} />;
    case "adopt":
      return <Adopt planning={planning} />;
    case "send":
      return <Send planning={planning} result={result} onAdopt={toAdopt} />;
  }
}
