import { t } from "../../i18n";
import { picked } from "./chosen";
import { type Line, newLine, type Shipped } from "./draft";
import { NumberField, Part, SelectField, TextField } from "./fields";
import { lengthM } from "./geometry";
import { change, draft } from "./history";
import { NewPlaces, Places } from "./Places";
import { metres } from "./units";

/** The border: drawn, imported, or a stretch of one that ships with the service. */
export function BorderPart({ faults }: { faults: string[] }) {
  const { border, lines, shipped } = draft.value;
  const set = (members: Partial<Shipped>, where: string) => change({ shipped: { ...shipped, ...members } }, where);
  return (
    <Part title={t("plan.border")} faults={faults}>
      <SelectField
        label={t("plan.border_from")}
        value={border}
        choices={[
          ["drawn", t("plan.border_drawn")],
          ["shipped", t("plan.border_shipped")],
        ]}
        set={(chosen) => change({ border: chosen })}
      />
      {border === "drawn" ? (
        <>
          {lines.length === 0 && <p class="soft">{t("plan.border_hint")}</p>}
          {lines.map((line) => (
            <LineForm key={line.id} line={line} />
          ))}
          <NewPlaces
            title={t("plan.new_border")}
            name={t("plan.tool_border")}
            part="border"
            least={2}
            add={(points) => change({ lines: [...lines, newLine(draft.value, points)] })}
          />
        </>
      ) : (
        <div class="pair">
          <TextField
            label={t("plan.own_country")}
            value={shipped.own}
            placeholder="GRC"
            set={(own) => set({ own }, "own")}
          />
          <TextField
            label={t("plan.neighbour")}
            value={shipped.neighbour}
            placeholder="TUR"
            set={(neighbour) => set({ neighbour }, "neighbour")}
          />
          <TextField
            label={t("plan.near")}
            value={shipped.near}
            placeholder="41.3, 26.5"
            set={(near) => set({ near }, "near")}
          />
          <NumberField
            label={t("plan.length")}
            unit="km"
            value={shipped.lengthKm}
            min={0.1}
            max={1000}
            set={(lengthKm) => set({ lengthKm }, "length")}
          />
        </div>
      )}
    </Part>
  );
}

function LineForm({ line }: { line: Line }) {
  const set = (members: Partial<Line>, where = "") =>
    change({ lines: draft.value.lines.map((one) => (one.id === line.id ? { ...one, ...members } : one)) }, where);
  return (
    <div class={picked.value === line.id ? "item picked" : "item"}>
      <div class="item-head">
        <TextField label={t("plan.name")} value={line.name} set={(name) => set({ name }, `line ${line.id}`)} />
        <span class="soft">{metres(lengthM(line.points))}</span>
        <button
          type="button"
          class="plain"
          aria-label={t("plan.remove", { name: line.name })}
          onClick={() => change({ lines: draft.value.lines.filter((one) => one.id !== line.id) })}
        >
          ×
        </button>
      </div>
      <div class="pair">
        <SelectField
          label={t("plan.own_side")}
          value={line.ownSide}
          choices={[
            ["left", t("plan.left")],
            ["right", t("plan.right")],
          ]}
          set={(ownSide) => set({ ownSide })}
        />
      </div>
      <Places
        id={line.id}
        name={line.name}
        part="border"
        label={t("plan.places_of", { name: line.name })}
        points={line.points}
        least={2}
        set={(points) => set({ points })}
      />
    </div>
  );
}

/** The own side becomes the other one: of the picked line, or of all. */
export function flipSides(): void {
  const { lines } = draft.value;
  const of = lines.some((line) => line.id === picked.value) ? picked.value : null;
  const flipped = (line: Line): Line => ({ ...line, ownSide: line.ownSide === "left" ? "right" : "left" });
  if (lines.length > 0) change({ lines: lines.map((line) => (of === null || line.id === of ? flipped(line) : line)) });
}
