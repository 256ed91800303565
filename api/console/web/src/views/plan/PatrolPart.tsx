import { t } from "../../i18n";
import { MomentField } from "../../ui/MomentField";
import { newId, type Objective, type Risk } from "./draft";
import { NumberField, Part, SelectField } from "./fields";
import { change, draft } from "./history";

/** How the border is to be watched: what counts, from how far, how wide. */
export function PatrolPart({ faults }: { faults: string[] }) {
  const { objective, standOffM, bandOwnM, bandFarM, risks } = draft.value;
  const choices: [Objective, string][] = [
    ["revisit", t("plan.objective_revisit")],
    ["coverage", t("plan.objective_coverage")],
    ["risk", t("plan.objective_risk")],
  ];
  const usual = t("plan.usual");
  return (
    <Part title={t("plan.patrol")} faults={faults}>
      <SelectField
        label={t("plan.objective")}
        value={objective}
        choices={choices}
        set={(chosen) => change({ objective: chosen })}
      />
      {objective === "risk" && (
        <>
          {risks.map((risk, place) => (
            <RiskForm key={risk.id} risk={risk} number={place + 1} />
          ))}
          <button type="button" onClick={() => change({ risks: [...risks, newRisk()] })}>
            {t("plan.add_risk")}
          </button>
        </>
      )}
      <div class="pair">
        <NumberField
          label={t("plan.stand_off")}
          unit="m"
          value={standOffM}
          usual={usual}
          set={(value) => change({ standOffM: value }, "standOffM")}
        />
        <NumberField
          label={t("plan.band_own")}
          unit="m"
          value={bandOwnM}
          usual={usual}
          min={0}
          set={(value) => change({ bandOwnM: value }, "bandOwnM")}
        />
        <NumberField
          label={t("plan.band_far")}
          unit="m"
          value={bandFarM}
          usual={usual}
          min={0}
          set={(value) => change({ bandFarM: value }, "bandFarM")}
        />
      </div>
    </Part>
  );
}

const newRisk = (): Risk => ({ id: newId(), fromM: 0, toM: 1000, fromHour: 0, toHour: 24, weight: 2 });

function RiskForm({ risk, number }: { risk: Risk; number: number }) {
  const set = (members: Partial<Risk>, where: string) =>
    change(
      { risks: draft.value.risks.map((one) => (one.id === risk.id ? { ...one, ...members } : one)) },
      `${risk.id} ${where}`,
    );
  const figure = (name: "fromM" | "toM" | "fromHour" | "toHour" | "weight", label: string, unit?: string) => (
    <NumberField
      label={label}
      {...(unit === undefined ? {} : { unit })}
      value={risk[name]}
      min={0}
      set={(value) => set({ [name]: value }, name)}
    />
  );
  return (
    <fieldset class="item pair">
      <legend>{t("plan.stretch", { number })}</legend>
      {figure("fromM", t("plan.from"), "m")}
      {figure("toM", t("plan.to"), "m")}
      {figure("fromHour", t("plan.from_hour"), "h")}
      {figure("toHour", t("plan.to_hour"), "h")}
      {figure("weight", t("plan.weight"))}
      <button
        type="button"
        class="plain"
        aria-label={t("plan.remove", { name: t("plan.stretch", { number }) })}
        onClick={() => change({ risks: draft.value.risks.filter((one) => one.id !== risk.id) })}
      >
        ×
      </button>
    </fieldset>
  );
}

/** When the shift begins, in the draft. */
const start = {
  get value() {
    return draft.value.start;
  },
  set value(moment) {
    change({ start: moment }, "start");
  },
};

/** When, in what wind, over what ground. */
export function ShiftPart({ faults }: { faults: string[] }) {
  const { shiftH, windSpeed, windFromDeg } = draft.value;
  return (
    <Part title={t("plan.shift")} faults={faults}>
      <div class="pair">
        <NumberField
          label={t("plan.shift_length")}
          unit="h"
          value={shiftH}
          min={0.1}
          max={24}
          set={(value) => change({ shiftH: value }, "shiftH")}
        />
        <MomentField label={t("plan.start")} value={start} />
        <NumberField
          label={t("plan.wind")}
          unit="m/s"
          value={windSpeed}
          min={0}
          max={40}
          set={(value) => change({ windSpeed: value }, "windSpeed")}
        />
        <NumberField
          label={t("plan.wind_from")}
          unit="°"
          value={windFromDeg}
          min={0}
          max={360}
          set={(value) => change({ windFromDeg: value }, "windFromDeg")}
        />
      </div>
    </Part>
  );
}

/** The ground to plan over. */
export function GroundPart({ faults }: { faults: string[] }) {
  const { ground, groundM } = draft.value;
  return (
    <Part title={t("plan.ground")} faults={faults}>
      <div class="pair">
        <SelectField
          label={t("plan.ground_from")}
          value={ground}
          choices={[
            ["level", t("plan.ground_level")],
            ["terrain", t("plan.ground_terrain")],
          ]}
          set={(chosen) => change({ ground: chosen })}
        />
        {ground === "level" && (
          <NumberField
            label={t("plan.ground_height")}
            unit="m AMSL"
            value={groundM}
            min={-500}
            max={9000}
            set={(value) => change({ groundM: value }, "groundM")}
          />
        )}
      </div>
    </Part>
  );
}
