import { pageOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { usePages } from "../../../ui/asked";
import { attempt } from "../../../ui/failure";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";

/** Where one is logged in. */
export function Sessions({ turn }: { turn: number }) {
  const sessions = usePages(async () => pageOf(await service.GET("/sessions")), [turn]);
  const end = (work: () => Promise<unknown>) =>
    attempt(async () => {
      await work();
      sessions.again();
    });
  return (
    <section class="stack" aria-label={t("account.sessions")}>
      <h2>{t("account.sessions")}</h2>
      <Table
        asked={sessions}
        columns={[t("account.since"), t("account.used"), t("account.where")]}
        actions
        none={t("account.no_sessions")}
        row={({ id, created, used, address, agent, current }) => (
          <tr key={id}>
            <td>
              <Time at={created} />
            </td>
            <td>
              <Time at={used} />
            </td>
            <td>
              {address} <small>{agent}</small>
            </td>
            <td>
              {current ? (
                <strong>{t("account.this_session")}</strong>
              ) : (
                <button
                  type="button"
                  onClick={() =>
                    end(() => service.DELETE("/sessions/{session_id}", { params: { path: { session_id: id } } }))
                  }
                >
                  {t("account.end_session")}
                </button>
              )}
            </td>
          </tr>
        )}
      />
      <div>
        <button
          type="button"
          disabled={(sessions.value ?? []).length < 2}
          onClick={() => end(() => service.DELETE("/sessions"))}
        >
          {t("account.end_others")}
        </button>
      </div>
    </section>
  );
}
