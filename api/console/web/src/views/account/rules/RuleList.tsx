import type { Signal } from "@preact/signals";
import { t, type Word } from "../../../i18n";
import { ChoiceField, InputField, TicksField } from "../../../ui/fields";
import { DIRECTIONS, type DraftRule, draftOf, KINDS, moved, SEVERITIES, STATUSES } from "./policy";
import { ruleText } from "./ruleText";

interface Props {
  legend: Word;
  rules: Signal<readonly DraftRule[]>;
  /** Whether they say what a crossing is worth, and their order counts; else what two people confirm. */
  weighs: boolean;
}

/** Rules that are being written, one under the other. */
export function RuleList({ legend, rules, weighs }: Props) {
  const put = (all: readonly DraftRule[]) => {
    rules.value = all;
  };
  const all = rules.value;
  return (
    <fieldset class="rules">
      <legend>{t(legend)}</legend>
      {all.length === 0 && <p class="soft">{t("account.no_rule_yet")}</p>}
      {all.map((rule, place) => (
        <fieldset key={rule.key} class="rule">
          <legend>{t("account.rule_number", { number: place + 1 })}</legend>
          {rule.never === null ? <Fields rule={rule} weighs={weighs} /> : <p>{t("account.rule_never")}</p>}
          <div class="row">
            {weighs && (
              <>
                <button type="button" disabled={place === 0} onClick={() => put(moved(all, place, -1))}>
                  {t("account.rule_up")}
                </button>
                <button type="button" disabled={place === all.length - 1} onClick={() => put(moved(all, place, 1))}>
                  {t("account.rule_down")}
                </button>
              </>
            )}
            <button type="button" onClick={() => put(all.filter((each) => each !== rule))}>
              {t("account.rule_remove")}
            </button>
          </div>
        </fieldset>
      ))}
      <button type="button" onClick={() => put([...all, draftOf()])}>
        {t("account.rule_add")}
      </button>
    </fieldset>
  );
}

function Fields({ rule, weighs }: { rule: DraftRule; weighs: boolean }) {
  return (
    <div class="rule-fields">
      {weighs && (
        <ChoiceField
          label={t("account.rule_severity")}
          value={rule.severity}
          choices={SEVERITIES.map((each) => [each, ruleText(each)] as const)}
        />
      )}
      <Ticks word="account.rule_kinds" value={rule.kinds} choices={KINDS} />
      <Ticks word="account.rule_directions" value={rule.directions} choices={DIRECTIONS} />
      <Ticks word="account.rule_statuses" value={rule.statuses} choices={STATUSES} />
      {!weighs && <Ticks word="account.rule_severities" value={rule.severities} choices={SEVERITIES} />}
      <InputField label={t("account.rule_purposes")} value={rule.purposes} rows={2} hint={t("account.rule_lines")} />
      <InputField label={t("account.rule_markings")} value={rule.markings} rows={2} hint={t("account.rule_lines")} />
      <InputField label={t("account.rule_min_confidence")} value={rule.confidence} hint={t("account.rule_share")} />
    </div>
  );
}

interface TicksProps<T extends string> {
  word: Word;
  value: Signal<readonly T[]>;
  choices: readonly T[];
}

function Ticks<T extends string>({ word, value, choices }: TicksProps<T>) {
  return <TicksField legend={t(word)} value={value} choices={choices.map((each) => [each, ruleText(each)] as const)} />;
}
