import { t } from "../../i18n";
import { picked } from "./chosen";
import { type Base, newBase, type Point, READY_MODEL, type Standing } from "./draft";
import { NumberField, Part, SelectField, TextField } from "./fields";
import { change, draft } from "./history";
import { NewPlaces, OnePlace } from "./Places";

/** The bases, and what stands at each. */
export function BasesPart({ faults }: { faults: string[] }) {
  const { bases } = draft.value;
  return (
    <Part title={t("plan.bases")} faults={faults}>
      {bases.length === 0 && <p class="soft">{t("plan.bases_hint")}</p>}
      {bases.map((base) => (
        <BaseForm key={base.id} base={base} />
      ))}
      <NewPlaces title={t("plan.new_bases")} name={t("plan.tool_base")} part="bases" least={1} add={putAll} />
    </Part>
  );
}

/** A new base at each of these places. */
function putAll(places: readonly Point[]): void {
  const after = { ...draft.value };
  for (const at of places) after.bases = [...after.bases, newBase(after, at)];
  change({ bases: after.bases });
}

function BaseForm({ base }: { base: Base }) {
  const set = (members: Partial<Base>, where = "") =>
    change({ bases: draft.value.bases.map((one) => (one.id === base.id ? { ...one, ...members } : one)) }, where);
  const models: [string, string][] = [
    [READY_MODEL, t("plan.ready_model")],
    ...draft.value.models.map((model): [string, string] => [model.id, model.name]),
  ];
  const nameOf = (id: string): string => models.find(([each]) => each === id)?.[1] ?? t("plan.model_gone");
  const put = (place: number, members: Partial<Standing>, where = "") =>
    set({ aircraft: base.aircraft.map((one, each) => (each === place ? { ...one, ...members } : one)) }, where);
  const unused = models.find(([id]) => base.aircraft.every((each) => each.model !== id));
  return (
    <div class={picked.value === base.id ? "item picked" : "item"}>
      <div class="item-head">
        <TextField label={t("plan.name")} value={base.name} set={(name) => set({ name }, `base ${base.id}`)} />
        <button
          type="button"
          class="plain"
          aria-label={t("plan.remove", { name: base.name })}
          onClick={() => change({ bases: draft.value.bases.filter((one) => one.id !== base.id) })}
        >
          ×
        </button>
      </div>
      <OnePlace
        id={base.id}
        name={base.name}
        part="bases"
        label={t("plan.place")}
        at={base.at}
        set={(at) => set({ at })}
      />
      {base.aircraft.map((each, place) => (
        <div class="pair" key={`${each.model} ${place}`}>
          <NumberField
            label={t("plan.count")}
            value={each.count}
            min={1}
            max={100}
            step={1}
            set={(count) => put(place, { count }, `count ${base.id} ${place}`)}
          />
          <SelectField
            label={t("plan.model")}
            value={each.model}
            choices={
              models.some(([id]) => id === each.model) ? models : [...models, [each.model, t("plan.model_gone")]]
            }
            set={(model) => put(place, { model })}
          />
          {base.aircraft.length > 1 && (
            <button
              type="button"
              class="plain"
              aria-label={t("plan.remove", { name: `${nameOf(each.model)}, ${base.name}` })}
              onClick={() => set({ aircraft: base.aircraft.filter((_, other) => other !== place) })}
            >
              ×
            </button>
          )}
        </div>
      ))}
      {unused !== undefined && (
        <button type="button" onClick={() => set({ aircraft: [...base.aircraft, { model: unused[0], count: 1 }] })}>
          {t("plan.more_models", { name: unused[1] })}
        </button>
      )}
    </div>
  );
}
