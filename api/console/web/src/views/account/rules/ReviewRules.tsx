import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { dataOf, type Schemas, service } from "../../../api/client";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Answer } from "../../../ui/Answer";
import { useAsked } from "../../../ui/asked";
import { attempt, say } from "../../../ui/failure";
import { TextField, TickField } from "../../../ui/fields";
import { Time } from "../../../ui/Time";

type Policy = Schemas["PolicyIn"];
type Selector = Policy["two_people"][number] | Policy["severity"][number];

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
                  <strong>{rule.severity}</strong>: {selected(rule)}
                </li>
              ))}
            </ol>
            <h2>{t("account.two_people")}</h2>
            {policy.two_people.length === 0 ? (
              <p>{t("account.one_is_enough")}</p>
            ) : (
              <ul>
                {policy.two_people.map((rule) => (
                  <li key={JSON.stringify(rule)}>{selected(rule)}</li>
                ))}
              </ul>
            )}
            <p>
              {t("account.claimed_for", { count: Math.round(policy.claim_s / 60) })}{" "}
              {t(policy.keys_are_people ? "account.keys_are_people" : "account.keys_are_nobody")}
            </p>
            {may("policy.write") && <Editor key={etag} policy={policy} etag={etag} onWritten={asked.again} />}
          </>
        )}
      </Answer>
    </section>
  );
}

/** Which crossings a rule is for, in words. */
function selected(rule: Selector): string {
  const parts = Object.entries(rule)
    .filter(([name, value]) => name !== "severity" && value !== null)
    .map(([name, value]) => `${name.replace("_", " ")} ${Array.isArray(value) ? value.join(", ") : String(value)}`);
  return parts.length === 0 ? t("account.every_crossing") : parts.join("; ");
}

interface Props {
  policy: Policy;
  etag: string;
  onWritten: () => void;
}

/** The rules as they are written; refused where somebody else wrote others meanwhile. */
function Editor({ policy, etag, onWritten }: Props) {
  const minutes = useSignal(String(policy.claim_s / 60));
  const people = useSignal(policy.keys_are_people);
  const rules = useSignal("");
  useEffect(() => {
    const { severity, two_people } = policy;
    rules.value = JSON.stringify({ severity, two_people }, (_, value: unknown) => value ?? undefined, 2);
  }, [policy]);
  return (
    <form
      class="stack"
      aria-label={t("account.write_rules")}
      onSubmit={(event) => {
        event.preventDefault();
        return attempt(async () => {
          const written = JSON.parse(rules.value) as Pick<Policy, "severity" | "two_people">;
          const body = { ...written, claim_s: Math.round(Number(minutes.value) * 60), keys_are_people: people.value };
          await service.PUT("/reviews/policy", { params: { header: { "if-match": etag } }, body });
          say(t("account.rules_written"));
          onWritten();
        });
      }}
    >
      <h2>{t("account.write_rules")}</h2>
      <div class="row">
        <TextField label={t("account.claim_minutes")} value={minutes} type="number" min={1} max={1440} required />
        <TickField label={t("account.keys_count")} value={people} />
      </div>
      <TextField label={t("account.rules_json")} value={rules} rows={10} hint={t("account.rules_hint")} required />
      <div>
        <button type="submit" class="primary">
          {t("account.write_rules")}
        </button>
      </div>
    </form>
  );
}
