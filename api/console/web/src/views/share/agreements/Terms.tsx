import type { ComponentChildren } from "preact";
import { t } from "../../../i18n";
import { Time } from "../../../ui/Time";
import { FIELDS, type Terms as Written } from "./draft";

interface Props {
  terms: Written;
  /** There will be an area: to have none yet does not mean everywhere. */
  lacksArea?: boolean;
}

/** An agreement as rules that can be read; its area is shown beside it. */
export function Terms({ terms, lacksArea = false }: Props) {
  const left = FIELDS.filter((field) => !terms.fields.includes(field));
  return (
    <dl class="terms">
      <Rule name={t("share.what")}>
        {list(terms.records.map((each) => t(`share.record_${each}`)))}
        {terms.records.includes("crossing") && (
          <> {t("share.of_kinds", { kinds: list(terms.kinds.map((each) => t(`share.kind_${each}`))) })}</>
        )}
      </Rule>
      <Rule name={t("share.purposes")}>{list(terms.purposes)}</Rule>
      <Rule name={t("share.markings")}>{list(terms.markings)}</Rule>
      <Rule name={t("share.sensitivities")}>
        {list(terms.sensitivities.map((each) => t(`share.sensitivity_${each}`)))}
      </Rule>
      <Rule name={t("share.shown")}>
        {list([t("share.always"), ...terms.fields.map((each) => t(`share.field_${each}`))])}
      </Rule>
      <Rule name={t("share.withheld")}>{list(left.map((each) => t(`share.field_${each}`)))}</Rule>
      <Rule name={t("share.pictures")}>
        {t(terms.fields.includes("clip") ? `share.media_${terms.media}` : "share.media_none")}
      </Rule>
      <Rule name={t("share.where")}>
        {lacksArea ? t("share.area_to_draw") : t(terms.area == null ? "share.everywhere" : "share.in_area")}
      </Rule>
      <Rule name={t("share.when")}>
        {terms.delay_s === 0 ? t("share.at_once") : t("share.after", { span: spanText(terms.delay_s) })}
      </Rule>
      <Rule name={t("share.until")}>
        {terms.valid_until == null ? t("share.until_ended") : <Time at={terms.valid_until} />}
      </Rule>
      <Rule name={t("share.by_itself")}>{t(terms.subscriptions ? "share.standing_yes" : "share.standing_no")}</Rule>
    </dl>
  );
}

function Rule({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function list(words: readonly string[]): string {
  return words.length === 0 ? t("app.none") : words.join(", ");
}

/** A delay in the greatest units that it is whole in. */
export function spanText(seconds: number): string {
  if (seconds % 86_400 === 0) return t("share.days", { count: seconds / 86_400 });
  if (seconds % 3600 === 0) return t("share.hours", { count: seconds / 3600 });
  if (seconds % 60 === 0) return t("share.minutes", { count: seconds / 60 });
  return t("share.seconds", { count: seconds });
}
