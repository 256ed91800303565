import { t } from "../../i18n";
import { picked } from "./chosen";
import { type Datum, newZone, type Zone } from "./draft";
import { NumberField, Part, SelectField, TextField } from "./fields";
import { cornersOf, ringOf } from "./geometry";
import { change, draft } from "./history";
import { NewPlaces, Places } from "./Places";

/** Where nobody may fly, and where not at every height. */
export function ZonesPart({ faults }: { faults: string[] }) {
  const { zones } = draft.value;
  return (
    <Part title={t("plan.zones")} faults={faults}>
      {zones.length === 0 && <p class="soft">{t("plan.zones_hint")}</p>}
      {zones.map((zone) => (
        <ZoneForm key={zone.id} zone={zone} />
      ))}
      <NewPlaces
        title={t("plan.new_zone")}
        name={t("plan.tool_zone")}
        part="zones"
        least={3}
        add={(points) => change({ zones: [...zones, newZone(draft.value, ringOf(points) ?? points)] })}
      />
    </Part>
  );
}

function ZoneForm({ zone }: { zone: Zone }) {
  const set = (members: Partial<Zone>, where = "") =>
    change({ zones: draft.value.zones.map((one) => (one.id === zone.id ? { ...one, ...members } : one)) }, where);
  const datums: [Datum, string][] = [
    ["AGL", t("plan.agl")],
    ["AMSL", t("plan.amsl")],
  ];
  return (
    <div class={picked.value === zone.id ? "item picked" : "item"}>
      <div class="item-head">
        <TextField label={t("plan.name")} value={zone.name} set={(name) => set({ name }, `zone ${zone.id}`)} />
        <button
          type="button"
          class="plain"
          aria-label={t("plan.remove", { name: zone.name })}
          onClick={() => change({ zones: draft.value.zones.filter((one) => one.id !== zone.id) })}
        >
          ×
        </button>
      </div>
      <SelectField
        label={t("plan.kind")}
        value={zone.kind}
        choices={[
          ["no_fly", t("plan.no_fly")],
          ["limits", t("plan.limits_kind")],
        ]}
        set={(kind) => set({ kind })}
      />
      <div class="pair">
        <NumberField
          label={t("plan.floor")}
          unit="m"
          value={zone.floorM}
          usual={t("plan.ground_word")}
          set={(floorM) => set({ floorM }, `floor ${zone.id}`)}
        />
        <SelectField
          label={t("plan.floor_above")}
          value={zone.floorDatum}
          choices={datums}
          set={(floorDatum) => set({ floorDatum })}
        />
        <NumberField
          label={t("plan.ceiling")}
          unit="m"
          value={zone.ceilingM}
          usual={t("plan.unlimited")}
          set={(ceilingM) => set({ ceilingM }, `ceiling ${zone.id}`)}
        />
        <SelectField
          label={t("plan.ceiling_above")}
          value={zone.ceilingDatum}
          choices={datums}
          set={(ceilingDatum) => set({ ceilingDatum })}
        />
      </div>
      <Places
        id={zone.id}
        name={zone.name}
        part="zones"
        label={t("plan.places_of", { name: zone.name })}
        points={cornersOf(zone.ring)}
        least={3}
        set={(points) => set({ ring: ringOf(points) ?? points })}
      />
    </div>
  );
}
