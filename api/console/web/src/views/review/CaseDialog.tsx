import { useEffect, useState } from "preact/hooks";
import { dataOf, service } from "../../api/client";
import { t } from "../../i18n";
import { attempt, report, say } from "../../ui/failure";
import { type AskingAbout, remember, shut } from "./desk";
import { type Case, readAgain } from "./details";
import { Form, Numbered, Reason } from "./dialogs";

const NEW = "new";
const MOST = 8;

/** Put a crossing into a case that is open, or into a new one. */
export function CaseDialog({ asked }: { asked: AskingAbout }) {
  const [cases, setCases] = useState<readonly Case[] | null>(null);
  const [into, setInto] = useState<string>(NEW);
  const [title, setTitle] = useState("");
  const [reason, setReason] = useState("");
  useEffect(() => {
    service
      .GET("/cases", { params: { query: { state: "open", limit: 50 } } })
      .then((answer) => setCases(dataOf(answer).cases))
      .catch(report);
  }, []);
  const { id } = asked.about.crossing;
  const inside = new Set(asked.about.cases.map((each) => each.id));
  const offered = (cases ?? []).filter((each) => !inside.has(each.id)).slice(0, MOST);
  const why = reason.trim();

  async function put(): Promise<void> {
    const attach = [{ record_id: id, reason: why }];
    const done = await attempt(async () => {
      const chosen = offered.find((each) => each.id === into);
      const taken = chosen === undefined ? await opened(title.trim(), attach) : await attached(chosen, attach);
      remember({ kind: "case", id, caseId: taken.id, title: taken.title });
      say(t("review.case_done", { title: taken.title }));
    });
    if (!done) return;
    shut(asked);
    await attempt(readAgain);
  }

  return (
    <Form
      asked={asked}
      title={t("review.case_title")}
      action={t("review.case_put")}
      ready={why !== "" && (into !== NEW || title.trim() !== "")}
      onSubmit={put}
    >
      {cases === null && <p role="status">{t("app.loading")}</p>}
      <Numbered
        label={t("review.case_which")}
        choices={[
          { value: NEW, label: t("review.case_new") },
          ...offered.map((each) => ({ value: each.id, label: `${each.title} (${each.owner})` })),
        ]}
        value={into}
        onChoose={setInto}
      />
      {into === NEW && <Reason label={t("review.case_name")} value={title} onInput={setTitle} />}
      <Reason label={t("review.reason")} value={reason} onInput={setReason} />
    </Form>
  );
}

type Attach = { record_id: string; reason: string }[];

async function opened(title: string, attach: Attach): Promise<Case> {
  return dataOf(await service.POST("/cases", { body: { title, attach } }));
}

async function attached(into: Case, attach: Attach): Promise<Case> {
  const params = { path: { case_id: into.id }, header: { "if-match": into.etag } };
  return dataOf(await service.PATCH("/cases/{case_id}", { params, body: { take: false, attach, detach: [] } }));
}

/** Take a crossing out of a case again. */
export async function takeOut(caseId: string, id: string, reason: string): Promise<void> {
  const path = { case_id: caseId };
  const { etag } = dataOf(await service.GET("/cases/{case_id}", { params: { path } }));
  const params = { path, header: { "if-match": etag } };
  await service.PATCH("/cases/{case_id}", {
    params,
    body: { take: false, attach: [], detach: [{ record_id: id, reason }] },
  });
}
