import { may } from "../../app/session";
import { t, type Word } from "../../i18n";
import { report } from "../../ui/failure";
import { choose } from "./desk";
import { counts, hasQueue, type Sought, seek, sought, type Which } from "./worklist";

const QUEUE: readonly Which[] = ["waiting", "confirmed", "dismissed", "merged", "all"];
const HOURS = [1, 8, 24, 168] as const;

/** Which crossings the list has. A partner has one list: what was released to them. */
export function Filters() {
  const wish = sought.value;
  const inside = may("review.read") || may("crossing.write");
  const waiting = hasQueue() && wish.which === "waiting";
  const ask = (more: Partial<Sought>) => {
    choose(null);
    seek(more).catch(report);
  };
  return (
    <div class="filters">
      {inside && (
        <Choice
          label={t("review.show")}
          value={wish.which}
          choices={hasQueue() ? QUEUE : QUEUE.filter((which) => which !== "waiting")}
          word={(which) => `review.show_${which}`}
          onChoose={(which) => ask({ which })}
        />
      )}
      <Choice
        label={t("review.age")}
        value={wish.hours === null ? "any" : String(wish.hours)}
        choices={["any", ...HOURS.map(String)]}
        text={(hours) => (hours === "any" ? t("review.any_age") : t("review.hours", { count: Number(hours) }))}
        onChoose={(hours) => ask({ hours: hours === "any" ? null : Number(hours) })}
      />
      {waiting && (
        <>
          <Choice
            label={t("review.severity")}
            value={wish.severity ?? "any"}
            choices={["any", "alert", "detection"]}
            word={(each) => (each === "any" ? "review.any_severity" : `review.${each}`)}
            onChoose={(each) => ask({ severity: each === "any" ? null : each })}
          />
          <Choice
            label={t("review.claims")}
            value={wish.claimed ?? "any"}
            choices={["any", "none", "mine"]}
            word={(each) => (each === "any" ? "review.any_claim" : `review.claims_${each}`)}
            onChoose={(each) => ask({ claimed: each === "any" ? null : each })}
          />
          <label class="inline">
            <input
              type="checkbox"
              checked={wish.unseen}
              onChange={(event) => ask({ unseen: event.currentTarget.checked })}
            />
            {t("review.unseen_only")}
          </label>
        </>
      )}
      {counts.value !== null && (
        <p class="counts" role="status">
          {t("review.counts", {
            alerts: t("review.alertCount", many(counts.value.alert)),
            detections: t("review.detectionCount", many(counts.value.detection)),
          })}
        </p>
      )}
    </div>
  );
}

/** The service counts so far, and no further. */
function many(count: number): { count: number; shown: string } {
  return { count, shown: count >= 1000 ? "1000+" : String(count) };
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: readonly T[];
  word?: (choice: T) => Word;
  text?: (choice: T) => string;
  onChoose: (choice: T) => void;
}

function Choice<T extends string>({ label, value, choices, word, text, onChoose }: ChoiceProps<T>) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => {
        const chosen = choices.find((each) => each === event.currentTarget.value);
        if (chosen !== undefined) onChoose(chosen);
      }}
    >
      {choices.map((each) => (
        <option key={each} value={each}>
          {text?.(each) ?? (word === undefined ? each : t(word(each)))}
        </option>
      ))}
    </select>
  );
}
