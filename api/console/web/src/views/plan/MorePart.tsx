import { useRef } from "preact/hooks";
import { t } from "../../i18n";
import { NumberField, Part, SelectField } from "./fields";
import { change, draft } from "./history";
import { OPTION_NAMES, OPTIONS, type Option, setOf } from "./options";

/** What most patrols leave as it is, folded away: the autopilot of the files, landing sites, limits of the planner. */
export function MorePart({ faults }: { faults: string[] }) {
  const { dialect, landingSites, options } = draft.value;
  const count = OPTION_NAMES.filter((name) => options[name] != null).length;
  // Open at first where something is set; then as its reader likes it, but that what is wrong in it is seen.
  const begunOpen = useRef(count > 0 || landingSites || dialect !== "ardupilot");
  const set = (name: Option, value: number | null) =>
    change({ options: setOf({ ...options, [name]: value }) }, `option ${name}`);
  return (
    <Part title={t("plan.more")} faults={faults}>
      <details class="more" open={begunOpen.current || faults.length > 0}>
        <summary>
          {t("plan.more_of")}
          {count > 0 && <small> {t("plan.options_set", { count })}</small>}
        </summary>
        <div class="pair">
          <SelectField
            label={t("plan.dialect")}
            value={dialect}
            choices={[
              ["ardupilot", "ArduPilot"],
              ["px4", "PX4"],
            ]}
            set={(chosen) => change({ dialect: chosen })}
          />
          <label class="inline">
            <input
              type="checkbox"
              checked={landingSites}
              onChange={(event) => change({ landingSites: event.currentTarget.checked })}
            />
            {t("plan.landing_sites")}
          </label>
          {OPTION_NAMES.map((name) => (
            <NumberField
              key={name}
              label={t(`plan.${name}`)}
              unit={OPTIONS[name]}
              value={options[name] ?? null}
              usual={t("plan.usual")}
              min={0}
              set={(value) => set(name, value)}
            />
          ))}
        </div>
      </details>
    </Part>
  );
}
