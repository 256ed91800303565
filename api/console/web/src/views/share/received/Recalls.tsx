import { useSignal } from "@preact/signals";
import { pageOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Answer, More } from "../../../ui/Answer";
import { usePages } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { attempt, say } from "../../../ui/failure";
import { TextField } from "../../../ui/fields";
import { Id } from "../../../ui/Id";
import { Time } from "../../../ui/Time";
import { useTold } from "../told";

/** What was taken back and waits for the partner's word that it is erased at its end. */
export function Recalls() {
  const pages = usePages(async () => pageOf(await service.GET("/recalls")), []);
  useTold(["release.recalled"], pages.again);
  const confirming = useSignal<string | null>(null);
  return (
    <section class="stack" aria-label={t("share.recalls")}>
      <h2>{t("share.recalls")}</h2>
      <Answer asked={pages}>
        {(recalls) => (
          <>
            {recalls.length === 0 ? (
              <p>{t("share.no_recalls")}</p>
            ) : (
              <div class="scroll">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">{t("share.recalled")}</th>
                      <th scope="col">{t("share.record")}</th>
                      <th scope="col">{t("share.release_id")}</th>
                      <th scope="col">
                        <span class="unseen">{t("share.actions")}</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {recalls.map((recall) => (
                      <tr key={recall.release_id}>
                        <td>{recall.recalled !== null && <Time at={recall.recalled} />}</td>
                        <td>
                          <code>{recall.record_id}</code>
                        </td>
                        <td>
                          <Id id={recall.release_id} />
                        </td>
                        <td>
                          <button
                            type="button"
                            class="primary"
                            onClick={() => {
                              confirming.value = recall.release_id;
                            }}
                          >
                            {t("share.confirm_erased")}
                          </button>
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
      {confirming.value !== null && (
        <Receipt
          release={confirming.value}
          onDone={pages.again}
          onClose={() => {
            confirming.value = null;
          }}
        />
      )}
    </section>
  );
}

function Receipt({ release, onDone, onClose }: { release: string; onDone: () => void; onClose: () => void }) {
  const note = useSignal("");
  return (
    <Confirm
      title={t("share.confirm_erased")}
      act={t("share.it_is_erased")}
      onClose={onClose}
      onConfirm={() =>
        attempt(async () => {
          await service.POST("/recalls/{release_id}/receipt", {
            params: { path: { release_id: release } },
            body: { erased: true, ...(note.value.trim() === "" ? {} : { note: note.value }) },
          });
          say(t("share.receipt_given"));
          onDone();
        })
      }
    >
      <p>{t("share.receipt_says")}</p>
      <TextField label={t("share.note_optional")} value={note} />
    </Confirm>
  );
}
