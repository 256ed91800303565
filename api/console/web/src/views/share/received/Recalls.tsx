import { useSignal } from "@preact/signals";
import { pageOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { usePages } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { say } from "../../../ui/failure";
import { InputField } from "../../../ui/fields";
import { Id } from "../../../ui/Id";
import { Table } from "../../../ui/Table";
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
      <Table
        asked={pages}
        columns={[t("share.recalled"), t("share.record"), t("share.release_id")]}
        actions
        none={t("share.no_recalls")}
        row={({ release_id, record_id, recalled }) => (
          <tr key={release_id}>
            <td>{recalled !== null && <Time at={recalled} />}</td>
            <td>
              <code>{record_id}</code>
            </td>
            <td>
              <Id id={release_id} />
            </td>
            <td>
              <button
                type="button"
                class="primary"
                onClick={() => {
                  confirming.value = release_id;
                }}
              >
                {t("share.confirm_erased")}
              </button>
            </td>
          </tr>
        )}
      />
      <Asking about={confirming}>
        {(release, close) => <Receipt release={release} onDone={pages.again} onClose={close} />}
      </Asking>
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
      onConfirm={async () => {
        await service.POST("/recalls/{release_id}/receipt", {
          params: { path: { release_id: release } },
          body: { erased: true, ...(note.value.trim() === "" ? {} : { note: note.value }) },
        });
        say(t("share.receipt_given"));
        onDone();
      }}
    >
      <p>{t("share.receipt_says")}</p>
      <InputField label={t("share.note_optional")} value={note} />
    </Confirm>
  );
}
