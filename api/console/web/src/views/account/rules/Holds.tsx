import { useSignal } from "@preact/signals";
import { pageOf, service } from "../../../api/client";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { usePages } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { Form } from "../../../ui/Form";
import { say } from "../../../ui/failure";
import { InputField } from "../../../ui/fields";
import { Id } from "../../../ui/Id";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";

/** Records that are not to be erased: who holds them and why; a supervisor places and lifts holds. */
export function Holds({ turn }: { turn: number }) {
  const pages = usePages(async () => pageOf(await service.GET("/holds")), [turn]);
  const record = useSignal("");
  const reason = useSignal("");
  const lifting = useSignal<string | null>(null);
  const write = may("hold");
  return (
    <section class="stack" aria-label={t("account.holds")}>
      <h2>{t("account.holds")}</h2>
      <Table
        asked={pages}
        columns={[t("account.record"), t("account.reason"), t("account.placed"), t("account.state")]}
        none={t("account.no_holds")}
        row={(hold) => (
          <tr key={hold.id}>
            <td>
              <Id id={hold.record_id} />
            </td>
            <td>{hold.reason}</td>
            <td>
              <Time at={hold.placed} /> <Id id={hold.placed_by} />
            </td>
            <td>
              {hold.lifted !== null ? (
                <>
                  {t("account.lifted")} <Time at={hold.lifted} />: {hold.lift_reason}
                </>
              ) : (
                <>
                  <span class="state good">{t("account.held")}</span>{" "}
                  {write && (
                    <button
                      type="button"
                      onClick={() => {
                        lifting.value = hold.id;
                      }}
                    >
                      {t("account.lift")}
                    </button>
                  )}
                </>
              )}
            </td>
          </tr>
        )}
      />
      {write && (
        <Form
          label={t("account.place_hold")}
          button={t("account.place_hold")}
          act={async () => {
            await service.POST("/holds", { body: { record_id: record.value.trim(), reason: reason.value } });
            record.value = "";
            reason.value = "";
            pages.again();
          }}
        >
          <InputField label={t("account.record_id")} value={record} required />
          <InputField label={t("account.reason")} value={reason} required />
        </Form>
      )}
      <Asking about={lifting}>{(hold, close) => <Lift hold={hold} onDone={pages.again} onClose={close} />}</Asking>
    </section>
  );
}

function Lift({ hold, onDone, onClose }: { hold: string; onDone: () => void; onClose: () => void }) {
  const reason = useSignal("");
  return (
    <Confirm
      title={t("account.lift")}
      act={t("account.lift_it")}
      onClose={onClose}
      onConfirm={async () => {
        const params = { path: { hold_id: hold } };
        const { response } = await service.POST("/holds/{hold_id}/lift", { params, body: { reason: reason.value } });
        if (response.status === 202) say(t("account.waits_for_second"));
        onDone();
      }}
    >
      <p>{t("account.lifting_says")}</p>
      <InputField label={t("account.reason")} value={reason} required />
    </Confirm>
  );
}
