import { clock } from "../../app/preferences";
import { t } from "../../i18n";
import { timeText } from "../../ui/Time";
import { AsTable } from "./AsTable";
import { timeTicks } from "./chart";
import { sortie } from "./chosen";
import { fitted, widthOf } from "./fitted";
import type { Result } from "./planning";
import { percent, shiftClock, span } from "./units";

type Shift = Result["shift"];

const WIDE = 960;
/** Room for names at the left: as they want it, within these. */
const LEFT = { least: 110, most: 260 };
const ROW = 30;
const TOP = 22;

/** Who flies when: a row for each vehicle, a bar for each flight; between two of its flights its battery is swapped. */
export function Timeline({ shift }: { shift: Shift }) {
  const vehicles = [...new Set(shift.flights.map((flight) => flight.vehicle))];
  const names = [...new Set(shift.flights.map((flight) => flight.sortie))];
  const last = Math.max(shift.length_s, ...shift.flights.map((flight) => flight.end_s));
  const left = Math.min(LEFT.most, Math.max(LEFT.least, ...vehicles.map((name) => widthOf(name) + 12)));
  const x = (s: number) => left + (s / last) * (WIDE - left - 12);
  const tall = TOP + vehicles.length * ROW + 6;
  const words = t("plan.timeline_words", {
    vehicles: vehicles.length,
    flights: shift.flights.length,
    length: span(shift.length_s),
  });
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing of buttons */}
      <svg class="chart timeline" viewBox={`0 0 ${WIDE} ${tall}`} role="group" aria-label={words}>
        {timeTicks(last, 10).map((s) => (
          <g key={s}>
            <line class="grid" x1={x(s)} x2={x(s)} y1={TOP - 4} y2={tall} />
            <text class="label" x={x(s)} y={13} text-anchor="middle">
              {momentText(shift, s)}
            </text>
          </g>
        ))}
        {vehicles.map((vehicle, row) => (
          <text class="label" key={vehicle} x={left - 8} y={TOP + row * ROW + 19} text-anchor="end">
            <title>{vehicle}</title>
            {fitted(vehicle, left - 12)}
          </text>
        ))}
        {shift.flights.map((flight) => {
          const y = TOP + vehicles.indexOf(flight.vehicle) * ROW;
          const wide = Math.max(2, x(flight.end_s) - x(flight.start_s));
          const label = t("plan.flight_words", {
            sortie: flight.sortie,
            vehicle: flight.vehicle,
            from: momentText(shift, flight.start_s),
            to: momentText(shift, flight.end_s),
            left: percent(flight.reserve_left),
          });
          const chosen = sortie.value === flight.sortie;
          return (
            // biome-ignore lint/a11y/useSemanticElements: HTML's button is no part of a drawing
            <g
              key={`${flight.vehicle} ${flight.start_s}`}
              class={chosen ? "flight chosen" : "flight"}
              role="button"
              tabIndex={0}
              aria-label={label}
              aria-pressed={chosen}
              onClick={() => choose(flight.sortie)}
              onKeyDown={(event) => {
                if (event.key !== "Enter" && event.key !== " ") return;
                event.preventDefault();
                choose(flight.sortie);
              }}
            >
              <title>{label}</title>
              <rect x={x(flight.start_s)} y={y + 2} width={wide} height={ROW - 5} rx="3" />
              {wide > 16 && (
                <text x={x(flight.start_s) + wide / 2} y={y + 19} text-anchor="middle">
                  {wide > 8 * flight.sortie.length ? flight.sortie : names.indexOf(flight.sortie) + 1}
                </text>
              )}
            </g>
          );
        })}
        <line class="end" x1={x(shift.length_s)} x2={x(shift.length_s)} y1={TOP - 4} y2={tall} />
      </svg>
      <Table shift={shift} />
    </>
  );
}

function choose(name: string): void {
  sortie.value = sortie.value === name ? null : name;
}

/** A moment of the shift: in the reader's clock where the day is known, else hours and minutes after the start. */
function momentText(shift: Shift, seconds: number): string {
  if (shift.start === null) return `+${shiftClock(seconds)}`;
  const text = timeText(new Date(Date.parse(shift.start) + seconds * 1000).toISOString(), false);
  return text.replace(/:\d\d(Z?)$/, clock.value === "utc" ? "$1" : "");
}

function Table({ shift }: { shift: Shift }) {
  const heads = ["vehicle", "sortie", "base", "take_off", "landing", "battery_left"] as const;
  return (
    <AsTable heads={heads.map((head) => t(`plan.${head}`))}>
      {shift.flights.map((flight) => (
        <tr key={`${flight.vehicle} ${flight.start_s}`}>
          <th scope="row">{flight.vehicle}</th>
          <td>{flight.sortie}</td>
          <td>{flight.base}</td>
          <td>{momentText(shift, flight.start_s)}</td>
          <td>{momentText(shift, flight.end_s)}</td>
          <td>{percent(flight.reserve_left)}</td>
        </tr>
      ))}
    </AsTable>
  );
}
