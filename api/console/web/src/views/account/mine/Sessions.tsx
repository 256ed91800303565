import { dataOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Answer } from "../../../ui/Answer";
import { useAsked } from "../../../ui/asked";
import { attempt } from "../../../ui/failure";
import { Time } from "../../../ui/Time";

/** Where one is logged in. */
export function Sessions({ turn }: { turn: number }) {
  const sessions = useAsked(async () => dataOf(await service.GET("/sessions")), [turn]);
  const end = (work: () => Promise<unknown>) =>
    attempt(async () => {
      await work();
      sessions.again();
    });
  return (
    <section class="stack" aria-label={t("account.sessions")}>
      <h2>{t("account.sessions")}</h2>
      <Answer asked={sessions}>
        {(found) => (
          <>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("account.since")}</th>
                    <th scope="col">{t("account.used")}</th>
                    <th scope="col">{t("account.where")}</th>
                    <th scope="col">
                      <span class="unseen">{t("account.actions")}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {found.map((session) => (
                    <tr key={session.id}>
                      <td>
                        <Time at={session.created} />
                      </td>
                      <td>
                        <Time at={session.used} />
                      </td>
                      <td>
                        {session.address} <small>{session.agent}</small>
                      </td>
                      <td>
                        {session.current ? (
                          <strong>{t("account.this_session")}</strong>
                        ) : (
                          <button
                            type="button"
                            onClick={() =>
                              end(() =>
                                service.DELETE("/sessions/{session_id}", {
                                  params: { path: { session_id: session.id } },
                                }),
                              )
                            }
                          >
                            {t("account.end_session")}
                          </button>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <button type="button" disabled={found.length < 2} onClick={() => end(() => service.DELETE("/sessions"))}>
              {t("account.end_others")}
            </button>
          </>
        )}
      </Answer>
    </section>
  );
}
