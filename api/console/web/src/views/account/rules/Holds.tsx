import { useSignal } from "@preact/signals";
import { pageOf, service } from "../../../api/client";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Answer, More } from "../../../ui/Answer";
import { usePages } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { attempt, say } from "../../../ui/failure";
import { TextField } from "../../../ui/fields";
import { Id } from "../../../ui/Id";
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
      <Answer asked={pages}>
        {(holds) => (
          <>
            {holds.length === 0 ? (
              <p>{t("account.no_holds")}</p>
            ) : (
              <div class="scroll">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">{t("account.record")}</th>
                      <th scope="col">{t("account.reason")}</th>
                      <th scope="col">{t("account.placed")}</th>
                      <th scope="col">{t("account.state")}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {holds.map((hold) => (
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
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <More pages={pages} />
          </>
        )}
      </Answer>
      {write && (
        <form
          class="row"
          aria-label={t("account.place_hold")}
          onSubmit={async (event) => {
            event.preventDefault();
            const body = { record_id: record.value.trim(), reason: reason.value };
            if (!(await attempt(() => service.POST("/holds", { body })))) return;
            record.value = "";
            reason.value = "";
            pages.again();
          }}
        >
          <TextField label={t("account.record_id")} value={record} required />
          <TextField label={t("account.reason")} value={reason} required />
          <button type="submit">{t("account.place_hold")}</button>
        </form>
      )}
      {lifting.value !== null && (
        <Lift
          hold={lifting.value}
          onDone={pages.again}
          onClose={() => {
            lifting.value = null;
          }}
        />
      )}
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
      onConfirm={() =>
        attempt(async () => {
          const params = { path: { hold_id: hold } };
          const { response } = await service.POST("/holds/{hold_id}/lift", { params, body: { reason: reason.value } });
          if (response.status === 202) say(t("account.waits_for_second"));
          onDone();
        })
      }
    >
      <p>{t("account.lifting_says")}</p>
      <TextField label={t("account.reason")} value={reason} required />
    </Confirm>
  );
}
