import type { ComponentChildren } from "preact";
import { to } from "../../app/router";
import { t } from "../../i18n";
import { Place } from "../../ui/Place";
import { Time } from "../../ui/Time";
import type { Crossing } from "./crossing";
import { clearance, named } from "./words";

/** What is known of a crossing; what is not, is left out. */
export function Facts({ crossing }: { crossing: Crossing }) {
  const { ellipse, place } = crossing;
  return (
    <dl class="facts">
      <Fact name={t("review.time")}>
        <Time at={crossing.time} />
      </Fact>
      {place !== null && (
        <Fact name={t("review.place")}>
          <Place lat={place.lat} lon={place.lon} />
          {ellipse !== null && (
            <small> {t("review.ellipse", { major: tenth(ellipse.major), minor: tenth(ellipse.minor) })}</small>
          )}
        </Fact>
      )}
      {crossing.border !== null && <Fact name={t("review.border")}>{crossing.border}</Fact>}
      {crossing.status !== null && <Fact name={t("review.line")}>{clearance(crossing.status)}</Fact>}
      {crossing.confidence !== null && (
        <Fact name={t("review.confidence")}>{Math.round(crossing.confidence * 100)} %</Fact>
      )}
      {crossing.source !== null && <Fact name={t("review.source")}>{crossing.source}</Fact>}
      {crossing.marking !== null && <Fact name={t("review.marking")}>{crossing.marking}</Fact>}
      {crossing.expires !== null && (
        <Fact name={t("review.kept_until")}>
          <Time at={crossing.expires} />
        </Fact>
      )}
      {crossing.mergedInto !== null && (
        <Fact name={t("review.merged_into")}>
          <a href={to("review", [crossing.mergedInto])}>{t("review.its_survivor")}</a>
        </Fact>
      )}
      {crossing.standsFor.length > 0 && (
        <Fact name={t("review.stands_for")}>
          {crossing.standsFor.map((id, place) => (
            <a key={id} href={to("review", [id])}>
              {t("review.other_number", { number: place + 1 })}{" "}
            </a>
          ))}
        </Fact>
      )}
    </dl>
  );
}

/** What it is, in one line. */
export function headline(crossing: Crossing): string {
  const parts = [crossing.kind ?? "", crossing.direction ?? ""].filter((part) => part !== "");
  return parts.length === 0 ? t("review.crossing") : parts.map(named).join(", ");
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function tenth(metres: number): number {
  return Math.round(metres * 10) / 10;
}
