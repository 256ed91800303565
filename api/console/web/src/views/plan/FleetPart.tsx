import { t } from "../../i18n";
import { FIGURES, type Figure, freeName, type Lens, type Model, newId, READY_FIGURES, READY_LENS } from "./draft";
import { NumberField, Part, SelectField, TextField } from "./fields";
import { change, draft } from "./history";

const UNITS: Record<Figure, string> = {
  cruise_m_s: "m/s",
  max_m_s: "m/s",
  climb_m_s: "m/s",
  descent_m_s: "m/s",
  hover_power_w: "W",
  cruise_power_w: "W",
  climb_power_w: "W",
  battery_wh: "Wh",
  reserve_fraction: "0–1",
  turn_round_s: "s",
};

/** Types of aircraft beside the ready-made one, and the camera that all of them carry. */
export function FleetPart({ faults }: { faults: string[] }) {
  const { models, camera } = draft.value;
  const add = () => {
    const name = freeName(
      "model",
      models.map((model) => model.name),
      true,
    );
    change({ models: [...models, { id: newId(), name, figures: { ...READY_FIGURES } }] });
  };
  return (
    <Part title={t("plan.fleet")} faults={faults}>
      {models.map((model) => (
        <ModelForm key={model.id} model={model} />
      ))}
      <button type="button" onClick={add}>
        {t("plan.add_model")}
      </button>
      <SelectField
        label={t("plan.camera")}
        value={camera === null ? "ready" : "own"}
        choices={[
          ["ready", t("plan.camera_ready")],
          ["own", t("plan.camera_own")],
        ]}
        set={(chosen) => change({ camera: chosen === "ready" ? null : READY_LENS })}
      />
      {camera !== null && <CameraForm lens={camera} />}
    </Part>
  );
}

function ModelForm({ model }: { model: Model }) {
  const { models } = draft.value;
  const put = (after: Model) => models.map((one) => (one.id === model.id ? after : one));
  const rename = (name: string) => change({ models: put({ ...model, name }) }, `model ${model.id}`);
  return (
    <div class="item">
      <div class="item-head">
        <TextField label={t("plan.name")} value={model.name} set={rename} />
        <button
          type="button"
          class="plain"
          aria-label={t("plan.remove", { name: model.name })}
          onClick={() => change({ models: models.filter((one) => one.id !== model.id) })}
        >
          ×
        </button>
      </div>
      <div class="pair">
        {FIGURES.map((figure) => (
          <NumberField
            key={figure}
            label={t(`plan.${figure}`)}
            unit={UNITS[figure]}
            value={model.figures[figure]}
            min={0}
            set={(value) =>
              change(
                { models: put({ ...model, figures: { ...model.figures, [figure]: value } }) },
                `${model.id} ${figure}`,
              )
            }
          />
        ))}
      </div>
    </div>
  );
}

function CameraForm({ lens }: { lens: Lens }) {
  const set = (members: Partial<Lens>, where: string) => change({ camera: { ...lens, ...members } }, `camera ${where}`);
  return (
    <div class="pair">
      <NumberField
        label={t("plan.width")}
        unit="px"
        value={lens.widthPx}
        min={1}
        step={1}
        set={(widthPx) => set({ widthPx }, "w")}
      />
      <NumberField
        label={t("plan.height")}
        unit="px"
        value={lens.heightPx}
        min={1}
        step={1}
        set={(heightPx) => set({ heightPx }, "h")}
      />
      <NumberField
        label={t("plan.fov")}
        unit="°"
        value={lens.fovDeg}
        min={0.1}
        max={170}
        set={(fovDeg) => set({ fovDeg }, "fov")}
      />
      <SelectField
        label={t("plan.modality")}
        value={lens.modality}
        choices={[
          ["thermal", t("plan.thermal")],
          ["visible", t("plan.visible")],
        ]}
        set={(modality) => set({ modality }, "modality")}
      />
      <NumberField
        label={t("plan.gsd")}
        unit="m/px"
        value={lens.maxGsdM}
        min={0}
        set={(maxGsdM) => set({ maxGsdM }, "gsd")}
      />
    </div>
  );
}
