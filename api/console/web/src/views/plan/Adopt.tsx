import { useSignal } from "@preact/signals";
import { dataOf, type Schemas, service } from "../../api/client";
import { configuration } from "../../app/session";
import { t } from "../../i18n";
import { attempt, say } from "../../ui/failure";
import { MomentField } from "../../ui/MomentField";
import { NumberField, TextField } from "./fields";
import { draft } from "./history";
import { open, type Planning } from "./planning";
import { keep, kept } from "./storage";

const NAME = "adoption";

interface Custody {
  source: string;
  owner: string;
  purpose: string;
  marking: string;
  retentionDays: number | null;
}

/** Makes the plan one of the service: records of its border, its fleet, itself and each flight. */
export function Adopt({ planning }: { planning: Planning }) {
  const custody = useSignal<Custody>(custodyBefore());
  const start = useSignal(draft.value.start);
  const made = useSignal<Schemas["AdoptionOut"] | null>(null);
  const busy = useSignal(false);
  const set = (members: Partial<Custody>) => {
    custody.value = { ...custody.value, ...members };
    keep(NAME, JSON.stringify(custody.value));
  };
  const said = planning.result?.shift.start ?? null;
  async function adopt(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { source, owner, purpose, marking, retentionDays } = custody.value;
    const body = {
      source: source.trim(),
      owner: owner.trim(),
      purpose: purpose.trim(),
      marking: marking.trim() === "" ? null : marking.trim(),
      retention_days: retentionDays ?? 0,
      ...(said === null && start.value !== "" ? { start: start.value } : {}),
    } as Schemas["AdoptionIn"];
    busy.value = true;
    const params = { path: { planning_id: planning.id } };
    await attempt(async () => {
      made.value = dataOf(await service.POST("/plannings/{planning_id}/adoption", { params, body }));
      say(t("plan.adopted"));
      open(planning.id);
    }, "plan");
    busy.value = false;
  }
  const value = custody.value;
  return (
    <form class="adopt" aria-label={t("plan.tab_adopt")} onSubmit={adopt}>
      <p>{planning.adopted ? t("plan.is_adopted") : t("plan.adopt_hint")}</p>
      {planning.result?.validation.kept === false && <p class="fault">{t("plan.rules_broken")}</p>}
      <div class="pair">
        <TextField label={t("plan.source")} value={value.source} set={(source) => set({ source })} />
        <TextField label={t("plan.owner")} value={value.owner} set={(owner) => set({ owner })} />
        <TextField label={t("plan.purpose")} value={value.purpose} set={(purpose) => set({ purpose })} />
        <TextField
          label={t("plan.marking")}
          value={value.marking}
          {...(configuration.value?.marking ? { placeholder: t("plan.no_marking") } : {})}
          set={(marking) => set({ marking })}
        />
        <NumberField
          label={t("plan.retention")}
          unit={t("plan.days")}
          value={value.retentionDays}
          min={1}
          max={36500}
          step={1}
          set={(retentionDays) => set({ retentionDays })}
        />
        {said === null && <MomentField label={t("plan.start_of_shift")} value={start} required />}
      </div>
      <button type="submit" class={planning.adopted ? "" : "primary"} disabled={busy.value}>
        {planning.adopted ? t("plan.adopt_again") : t("plan.adopt")}
      </button>
      {made.value !== null && <Records made={made.value} />}
    </form>
  );
}

function Records({ made }: { made: Schemas["AdoptionOut"] }) {
  const counts = new Map<string, number>();
  for (const { type } of made.records) counts.set(type, (counts.get(type) ?? 0) + 1);
  return (
    <ul>
      {[...counts].map(([type, count]) => (
        <li key={type}>
          {t(`plan.record_${type as Schemas["AdoptedRecord"]["type"]}`)}: {count}
        </li>
      ))}
    </ul>
  );
}

/** As it was filled in last. */
function custodyBefore(): Custody {
  const usual: Custody = {
    source: "console",
    owner: "",
    purpose: "border-surveillance",
    marking: "",
    retentionDays: 30,
  };
  try {
    const told = JSON.parse(kept(NAME) ?? "{}") as Partial<Record<string, unknown>> | null;
    const members = Object.entries(usual).map(([name, value]) => {
      const other = told?.[name];
      return [name, typeof other === typeof value ? other : value];
    });
    return Object.fromEntries(members) as Custody;
  } catch {
    return usual;
  }
}
