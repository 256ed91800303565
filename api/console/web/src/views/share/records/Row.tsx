import type { Signal } from "@preact/signals";
import { t } from "../../../i18n";
import { Place } from "../../../ui/Place";
import { Time, timeText } from "../../../ui/Time";
import { type Candidate, coveringOf, isOpen } from "./preview";

interface Props {
  candidate: Candidate;
  ticked: Signal<readonly string[]>;
  chosen: Signal<string | null>;
}

/** A crossing, and whether the partner may see it: yes, it does already, or no with every reason. */
export function Row({ candidate, ticked, chosen }: Props) {
  const { ours } = candidate;
  const told = ours.properties as Record<string, unknown>;
  const geometry = ours.geometry as { type?: string; coordinates?: number[] } | null;
  const [lon, lat] = geometry?.coordinates ?? [];
  const time = String(told.time);
  const what = `${String(told.kind)}, ${timeText(time)}`;
  return (
    <tr aria-current={chosen.value === ours.id}>
      <td>
        <input
          type="checkbox"
          aria-label={t("share.tick_this", { what })}
          disabled={!isOpen(candidate)}
          checked={isOpen(candidate) && ticked.value.includes(ours.id)}
          onChange={(event) => {
            const others = ticked.peek().filter((id) => id !== ours.id);
            ticked.value = event.currentTarget.checked ? [...others, ours.id] : others;
          }}
        />
      </td>
      <td>
        <Time at={time} />
        <br />
        {String(told.kind)} <span class="soft">{reviewOf(told)}</span>
      </td>
      <td class="extra">{lat !== undefined && lon !== undefined && <Place lat={lat} lon={lon} />}</td>
      <td class="extra">{told.marking == null ? t("app.none") : String(told.marking)}</td>
      <td>
        <Verdict candidate={candidate} />
      </td>
      <td>
        <button
          type="button"
          aria-pressed={chosen.value === ours.id}
          aria-label={t("share.compare_this", { what })}
          onClick={() => {
            chosen.value = chosen.peek() === ours.id ? null : ours.id;
          }}
        >
          {t("share.compare")}
        </button>
      </td>
    </tr>
  );
}

function Verdict({ candidate: { preview } }: { candidate: Candidate }) {
  if (preview.released !== null) return <span class="state">{t("share.sees_it")}</span>;
  if (coveringOf(preview) !== undefined) return <span class="state good">{t("share.may_be")}</span>;
  const reasons = [...new Set(preview.agreements.flatMap((under) => under.reasons))];
  return (
    <>
      <span class="state bad">{t("app.no")}</span>
      <ul class="reasons">
        {preview.agreements.length === 0 && <li>{t("share.no_agreement")}</li>}
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </>
  );
}

function reviewOf(told: Record<string, unknown>): string {
  const review = told.review;
  if (typeof review === "string") return review;
  const state = (review as { state?: unknown } | null | undefined)?.state;
  return typeof state === "string" ? state : "";
}
