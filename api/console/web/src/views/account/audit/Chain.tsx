import { useSignal } from "@preact/signals";
import { t } from "../../../i18n";
import { Answer } from "../../../ui/Answer";
import { useAsked } from "../../../ui/asked";
import { attempt } from "../../../ui/failure";
import { Id } from "../../../ui/Id";
import { Time } from "../../../ui/Time";
import { askHead, type Verification, verified, verify } from "./chain";

/** How the chain stands: verified up to where, its head and who signed it. A broken one cannot be overlooked. */
export function Chain() {
  const head = useAsked(askHead, []);
  const busy = useSignal(false);
  const last = verified.value;
  return (
    <section class="chain stack" aria-label={t("account.chain")}>
      <div role={last?.found.intact === false ? "alert" : "status"}>
        {last === null ? (
          <p class="verdict">{t("account.not_verified")}</p>
        ) : (
          <Verdict found={last.found} at={last.at} />
        )}
      </div>
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={busy.value}
          onClick={async () => {
            busy.value = true;
            await attempt(verify);
            head.again();
            busy.value = false;
          }}
        >
          {t(busy.value ? "account.verifying" : "account.verify")}
        </button>
        <Answer asked={head}>
          {({ statement, signature }) => (
            <p class="soft">
              {t("account.head", { seq: statement.seq })} <Id id={statement.hash.slice(0, 16)} />
              {", "}
              {signature === null ? (
                t("account.unsigned")
              ) : (
                <>
                  {t("account.signed", { algorithm: signature.algorithm })} <Time at={statement.time} />{" "}
                  <code title={signature.signature}>{signature.public_key.slice(0, 12)}…</code>
                </>
              )}
            </p>
          )}
        </Answer>
      </div>
    </section>
  );
}

function Verdict({ found, at }: { found: Verification; at: string }) {
  if (found.intact) {
    return (
      <p class="verdict whole">
        <strong>✓ {t("account.intact", { seq: found.head.seq })}</strong>{" "}
        <span class="soft">
          {t("account.verified_at")} <Time at={at} />
        </span>
      </p>
    );
  }
  return (
    <div class="verdict broken">
      <h2>✕ {t("account.broken", { seq: found.seq })}</h2>
      <p>{found.problem}</p>
      <p>{t("account.broken_says", { seq: found.seq })}</p>
    </div>
  );
}
