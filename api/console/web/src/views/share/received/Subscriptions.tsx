import { useSignal } from "@preact/signals";
import { pageOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { useAsked, usePages } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { Form } from "../../../ui/Form";
import { ChoiceField, TicksField } from "../../../ui/fields";
import { Id } from "../../../ui/Id";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";
import { KINDS } from "../agreements/draft";
import { askOwnAgreements } from "./own";

/** What the partner gets by itself as soon as a person has confirmed it, and a way to ask for more or for no more. */
export function Subscriptions() {
  const pages = usePages(async () => pageOf(await service.GET("/subscriptions")), []);
  const ending = useSignal<string | null>(null);
  return (
    <section class="stack" aria-label={t("share.subscriptions")}>
      <h2>{t("share.subscriptions")}</h2>
      <p class="soft">{t("share.subscriptions_say")}</p>
      <Table
        asked={pages}
        columns={[t("share.since"), t("share.agreement"), t("share.wish"), t("share.state")]}
        none={t("share.no_subscriptions")}
        row={({ id, wish, created, ended }) => (
          <tr key={id}>
            <td>
              <Time at={created} />
            </td>
            <td>
              <Id id={wish.agreement_id} />
            </td>
            <td>
              {wish.kinds == null ? t("share.all_of_it") : wish.kinds.map((each) => t(`share.kind_${each}`)).join(", ")}
              {wish.area != null && `, ${t("share.in_area")}`}
            </td>
            <td>
              {ended === null ? (
                <button
                  type="button"
                  onClick={() => {
                    ending.value = id;
                  }}
                >
                  {t("share.end_subscription")}
                </button>
              ) : (
                <>
                  {t("share.ended_at")} <Time at={ended} />
                </>
              )}
            </td>
          </tr>
        )}
      />
      <Ask onDone={pages.again} />
      <Asking about={ending}>
        {(id, close) => (
          <Confirm
            title={t("share.end_subscription")}
            act={t("share.end_it")}
            onClose={close}
            onConfirm={async () => {
              await service.DELETE("/subscriptions/{subscription_id}", { params: { path: { subscription_id: id } } });
              pages.again();
            }}
          >
            <p>{t("share.end_subscription_says")}</p>
          </Confirm>
        )}
      </Asking>
    </section>
  );
}

/** A new standing wish, under one of the agreements that something came under, or one whose number is known. */
function Ask({ onDone }: { onDone: () => void }) {
  /** Null until something is written: where there is one alone, it is that one. */
  const agreement = useSignal<string | null>(null);
  const which = useSignal<"all" | "kinds">("all");
  const kinds = useSignal<readonly (typeof KINDS)[number][]>([]);
  const known = useAsked(askOwnAgreements, []);
  const [only, ...others] = known.value ?? [];
  const meant = agreement.value ?? (others.length === 0 ? (only ?? "") : "");
  return (
    <Form
      label={t("share.subscribe")}
      button={t("share.subscribe")}
      act={async () => {
        const body = { agreement_id: meant, ...(which.value === "all" ? {} : { kinds: [...kinds.value] }) };
        await service.POST("/subscriptions", { body });
        agreement.value = null;
        onDone();
      }}
    >
      <label>
        <span>{t("share.agreement_number")}</span>
        <input
          required
          list="own-agreements"
          autocomplete="off"
          pattern="[0-9a-f]{32}"
          value={meant}
          onInput={(event) => {
            agreement.value = event.currentTarget.value;
          }}
        />
        <datalist id="own-agreements">
          {(known.value ?? []).map((id) => (
            <option key={id} value={id} />
          ))}
        </datalist>
      </label>
      <ChoiceField
        label={t("share.wish")}
        value={which}
        choices={[
          ["all", t("share.all_of_it")],
          ["kinds", t("share.some_kinds")],
        ]}
      />
      {which.value === "kinds" && (
        <TicksField
          legend={t("share.kinds")}
          value={kinds}
          choices={KINDS.map((each) => [each, t(`share.kind_${each}`)] as const)}
        />
      )}
    </Form>
  );
}
