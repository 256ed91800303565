import { useSignal } from "@preact/signals";
import { service } from "../../../api/client";
import type { Partner } from "../../../api/partners";
import { t, type Word } from "../../../i18n";
import { Refusal, useSubmit } from "../../../ui/Form";
import { ChoiceField, InputField, TickField, TicksField } from "../../../ui/fields";
import { MomentField } from "../../../ui/MomentField";
import { AreaDraw } from "./AreaDraw";
import { clearDraft, draft, FIELDS, KINDS, lacksArea, MEDIA, RECORDS, SENSITIVITIES, terms, UNITS } from "./draft";
import { Terms } from "./Terms";

interface Props {
  partners: readonly Partner[];
  onMade: () => void;
  onClose: () => void;
}

/** Writes an agreement; beside the fields stands what it will say. It is refused or made as the service says. */
export function AgreementForm({ partners, onMade, onClose }: Props) {
  const busy = useSignal(false);
  const { refusal, submit } = useSubmit(async () => {
    if (lacksArea.value) throw new Error(t("share.lacks_area"));
    await service.POST("/agreements", { body: terms.value });
    clearDraft();
    onMade();
  }, busy);

  return (
    <form class="writing" onSubmit={submit} aria-label={t("share.new_agreement")}>
      <div class="stack">
        <h2>{t("share.new_agreement")}</h2>
        <ChoiceField
          label={t("share.partner")}
          value={draft.partner}
          choices={[["", t("share.choose")], ...partners.map((each) => [each.id, each.name] as const)]}
          required
        />
        <TicksField
          legend={t("share.records_shared")}
          value={draft.records}
          choices={named(RECORDS, "share.record_")}
        />
        <TicksField legend={t("share.kinds")} value={draft.kinds} choices={named(KINDS, "share.kind_")} />
        <div class="two">
          <InputField
            label={t("share.purposes")}
            value={draft.purposes}
            rows={2}
            hint={t("share.a_line_each")}
            required
          />
          <InputField
            label={t("share.markings")}
            value={draft.markings}
            rows={2}
            hint={t("share.a_line_each")}
            required
          />
        </div>
        <TicksField
          legend={t("share.sensitivities")}
          value={draft.sensitivities}
          choices={named(SENSITIVITIES, "share.sensitivity_")}
        />
        <TicksField legend={t("share.fields")} value={draft.fields} choices={named(FIELDS, "share.field_")} />
        {draft.fields.value.includes("clip") && (
          <ChoiceField label={t("share.pictures")} value={draft.media} choices={named(MEDIA, "share.media_")} />
        )}
        <div class="two">
          <div class="row">
            <InputField label={t("share.delay")} value={draft.delay} type="number" min={0} required />
            <ChoiceField
              label={t("share.unit")}
              value={draft.unit}
              choices={named(Object.keys(UNITS) as (keyof typeof UNITS)[], "share.unit_")}
            />
          </div>
          <MomentField label={t("share.valid_until")} value={draft.until} />
        </div>
        <TickField label={t("share.allow_standing")} value={draft.subscriptions} />
        <ChoiceField
          label={t("share.where")}
          value={draft.everywhere}
          choices={[
            ["area", t("share.in_area")],
            ["everywhere", t("share.everywhere")],
          ]}
        />
        {draft.everywhere.value === "area" && <AreaDraw />}
      </div>
      <div class="stack says">
        <h2>{t("share.says")}</h2>
        <Terms terms={terms.value} lacksArea={lacksArea.value} />
        <Refusal reasons={refusal} />
        <p class="soft">{t("share.never_changed")}</p>
        <div class="row">
          <button type="submit" class="primary" disabled={busy.value}>
            {t("share.put_in_force")}
          </button>
          <button type="button" onClick={onClose}>
            {t("share.later")}
          </button>
        </div>
      </div>
    </form>
  );
}

/** Choices with what each is called. */
function named<T extends string, Stem extends string>(
  choices: readonly T[],
  stem: `${Stem}${T}` extends Word ? Stem : never,
): (readonly [T, string])[] {
  return choices.map((each) => [each, t(`${stem}${each}` as Word)] as const);
}
