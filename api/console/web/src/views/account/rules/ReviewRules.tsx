import { useSignal } from "@preact/signals";
import { dataOf, service } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Answer } from "../../../ui/Answer";
import { Asking } from "../../../ui/Asking";
import { useAsked } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { Form } from "../../../ui/Form";
import { say } from "../../../ui/failure";
import { InputField, TickField } from "../../../ui/fields";
import { Time } from "../../../ui/Time";
import { draftOf, type Policy, type Rules, rulesOf } from "./policy";
import { RuleList } from "./RuleList";
import { ruleText, selectedText } from "./ruleText";

/** What is grave, and what two people have to confirm; written by administrators, each version kept. */
export default function ReviewRules() {
  const asked = useAsked(async () => dataOf(await service.GET("/reviews/policy")), []);
  return (
    <section class="stack" aria-label={t("account.review_rules")}>
      <Answer asked={asked}>
        {({ version, policy, written, etag }) => (
          <>
            <p class="soft">
              {written === null ? t("account.usual_rules") : t("account.version", { version })}{" "}
              {written !== null && <Time at={written} />}
            </p>
            <h2>{t("account.severities")}</h2>
            <ol>
              {policy.severity.map((rule) => (
                <li key={JSON.stringify(rule)}>
                  <strong>{ruleText(rule.severity)}</strong>: {selectedText(rule)}
                </li>
              ))}
            </ol>
            <h2>{t("account.two_people")}</h2>
            {policy.two_people.length === 0 ? (
              <p>{t("account.one_is_enough")}</p>
            ) : (
              <ul>
                {policy.two_people.map((rule) => (
                  <li key={JSON.stringify(rule)}>{selectedText(rule)}</li>
                ))}
              </ul>
            )}
            <p>
              {t("account.claimed_for", { count: Math.round(policy.claim_s / 60) })}{" "}
              {t(policy.keys_are_people ? "account.keys_are_people" : "account.keys_are_nobody")}
            </p>
            {may("policy.write") && <Editor policy={policy} etag={etag} again={asked.again} />}
          </>
        )}
      </Answer>
    </section>
  );
}

interface Props {
  policy: Policy;
  etag: string;
  /** Ask for the newest rules. */
  again: () => void;
}

/**
 * The rules as they are written. What somebody else wrote meanwhile is shown above and written over only by who has been
 * told of it; what was written here stays.
 */
function Editor({ policy, etag, again }: Props) {
  const minutes = useSignal(String(policy.claim_s / 60));
  const people = useSignal(policy.keys_are_people);
  const severity = useSignal(policy.severity.map(draftOf));
  const twoPeople = useSignal(policy.two_people.map(draftOf));
  const overtaken = useSignal(false);
  const asking = useSignal<Rules | null>(null);

  async function write(rules: Rules): Promise<void> {
    const body = { ...rules, claim_s: Math.round(Number(minutes.value) * 60), keys_are_people: people.value };
    try {
      await service.PUT("/reviews/policy", { params: { header: { "if-match": etag } }, body });
    } catch (error) {
      if (!(error instanceof Problem && error.status === 412)) throw error;
      overtaken.value = true;
      again();
      return;
    }
    overtaken.value = false;
    say(t("account.rules_written"));
    again();
  }

  return (
    <>
      <h2>{t("account.write_rules")}</h2>
      <Form
        class="stack"
        label={t("account.write_rules")}
        button={t("account.write_rules")}
        look="primary"
        act={async () => {
          asking.value = rulesOf(severity.value, twoPeople.value);
        }}
      >
        <div class="row">
          <InputField label={t("account.claim_minutes")} value={minutes} type="number" min={1} max={1440} required />
          <TickField label={t("account.keys_count")} value={people} />
        </div>
        <RuleList legend="account.severities" rules={severity} weighs />
        <RuleList legend="account.two_people" rules={twoPeople} weighs={false} />
      </Form>
      {overtaken.value && (
        <p role="alert" class="refused">
          {t("account.rules_overtaken")}
        </p>
      )}
      <Asking about={asking}>
        {(rules, close) => (
          <Confirm
            title={t("account.write_rules")}
            act={t("account.put_rules_in_force")}
            onClose={close}
            onConfirm={() => write(rules)}
          >
            <p>{told(rules.two_people.length)}</p>
            <p class="soft">{t("account.rules_now", { count: policy.two_people.length })}</p>
          </Confirm>
        )}
      </Asking>
    </>
  );
}

function told(count: number): string {
  return count === 0 ? t("account.rules_nothing") : t("account.rules_pairs", { count });
}
