import { useSignal } from "@preact/signals";
import { service } from "../../../api/client";
import {
  type Agreement,
  askAgreements,
  askPartners,
  type Force,
  forceOf,
  nameOf,
  type Partner,
} from "../../../api/partners";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Answer } from "../../../ui/Answer";
import { Asking } from "../../../ui/Asking";
import { useAsked } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { say } from "../../../ui/failure";
import { Id } from "../../../ui/Id";
import { Time } from "../../../ui/Time";
import { useTold } from "../told";
import { AgreementForm } from "./AgreementForm";
import { AreaMap } from "./AreaMap";
import { Partners } from "./Partners";
import { Terms } from "./Terms";

const TONES: Record<Force, string> = { in_force: "good", run_out: "warn", ended: "" };
const ORDER: Record<Force, number> = { in_force: 0, run_out: 1, ended: 2 };

/** What may be shared with whom: every agreement as rules that can be read; who writes rules makes and ends them. */
export default function Agreements() {
  const asked = useAsked(async () => {
    const [partners, agreements] = await Promise.all([askPartners(), askAgreements()]);
    return { partners, agreements: agreements.toSorted((one, other) => ORDER[forceOf(one)] - ORDER[forceOf(other)]) };
  }, []);
  useTold(["agreement.created", "agreement.ended", "partner.created", "partner.ended"], asked.again);
  const chosen = useSignal<string | null>(null);
  const writing = useSignal(false);
  const write = may("policy.write");
  return (
    <Answer asked={asked}>
      {({ partners, agreements }) =>
        writing.value ? (
          <AgreementForm
            partners={partners.filter((partner) => partner.ended === null)}
            onClose={() => {
              writing.value = false;
            }}
            onMade={() => {
              writing.value = false;
              say(t("share.in_force_now"));
              asked.again();
            }}
          />
        ) : (
          <>
            <Partners partners={partners} onChange={asked.again} />
            <div class="row">
              <h2>{t("share.agreements")}</h2>
              {write && (
                <button
                  type="button"
                  class="primary"
                  onClick={() => {
                    writing.value = true;
                  }}
                >
                  {t("share.new_agreement")}
                </button>
              )}
            </div>
            {agreements.length === 0 && <p>{t("share.no_agreements")}</p>}
            <div class="beside">
              <ul class="chooser">
                {agreements.map((agreement) => (
                  <li key={agreement.id}>
                    <button
                      type="button"
                      aria-pressed={agreement.id === (chosen.value ?? agreements[0]?.id)}
                      onClick={() => {
                        chosen.value = agreement.id;
                      }}
                    >
                      <strong>{nameOf(partners, agreement.terms.partner_id)}</strong> <Id id={agreement.id} />
                      <State force={forceOf(agreement)} />
                    </button>
                  </li>
                ))}
              </ul>
              <Shown
                agreement={agreements.find((each) => each.id === chosen.value) ?? agreements[0]}
                partners={partners}
                onEnded={asked.again}
              />
            </div>
          </>
        )
      }
    </Answer>
  );
}

function State({ force }: { force: Force }) {
  return <span class={`state ${TONES[force]}`}>{t(`share.${force}`)}</span>;
}

interface ShownProps {
  agreement: Agreement | undefined;
  partners: readonly Partner[];
  onEnded: () => void;
}

function Shown({ agreement, partners, onEnded }: ShownProps) {
  const ending = useSignal<Agreement | null>(null);
  if (agreement === undefined) return null;
  const partner = nameOf(partners, agreement.terms.partner_id);
  return (
    <section class="stack" aria-label={t("share.agreement_with", { partner })}>
      <div class="row">
        <h3>{t("share.agreement_with", { partner })}</h3>
        <State force={forceOf(agreement)} />
        <span class="soft">
          {t("share.made")} <Time at={agreement.created} />
          {agreement.ended !== null && (
            <>
              {", "}
              {t("share.ended_at")} <Time at={agreement.ended} />
            </>
          )}
        </span>
        {may("policy.write") && agreement.ended === null && (
          <button
            type="button"
            onClick={() => {
              ending.value = agreement;
            }}
          >
            {t("share.end_agreement")}
          </button>
        )}
      </div>
      <div class="with-map">
        <Terms terms={agreement.terms} />
        {agreement.terms.area != null && <AreaMap area={agreement.terms.area} />}
      </div>
      <Asking about={ending}>
        {({ id, terms }, close) => (
          <Confirm
            title={t("share.end_agreement")}
            act={t("share.end_it")}
            danger
            onClose={close}
            onConfirm={async () => {
              await service.DELETE("/agreements/{agreement_id}", { params: { path: { agreement_id: id } } });
              onEnded();
            }}
          >
            <p>{t("share.ending_says", { partner: nameOf(partners, terms.partner_id) })}</p>
          </Confirm>
        )}
      </Asking>
    </section>
  );
}
