import { useEffect, useState } from "preact/hooks";
import { t } from "../../../i18n";
import { usePages } from "../../../ui/asked";
import { InputField } from "../../../ui/fields";
import { MomentField } from "../../../ui/MomentField";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";
import { roleText } from "../people/role";
import { verified } from "./chain";
import { askEntries, clearSought, type Entry, question, type Said, saidBy, sought } from "./entries";

/** The entries that are looked for, newest first. What stands in one is pressed to look for more of the same. */
export function Entries() {
  const asked = useSettled(question.value);
  const pages = usePages(() => askEntries(), [asked], askEntries);
  return (
    <section class="stack" aria-label={t("account.entries")}>
      <search>
        <form class="row" onSubmit={(event) => event.preventDefault()}>
          <InputField label={t("account.person")} value={sought.actor} type="search" />
          <InputField label={t("account.deed")} value={sought.action} type="search" />
          <InputField label={t("account.object")} value={sought.object} type="search" />
          <MomentField label={t("account.from")} value={sought.from} />
          <MomentField label={t("account.to")} value={sought.to} />
          <button type="button" onClick={clearSought}>
            {t("account.all_entries")}
          </button>
          <button type="button" onClick={pages.again}>
            {t("account.read_again")}
          </button>
        </form>
      </search>
      <Table
        asked={pages}
        class="entries"
        columns={[
          t("account.number"),
          t("account.time"),
          t("account.person"),
          t("account.deed"),
          t("account.objects"),
          t("account.detail"),
        ]}
        none={t(pages.more === null ? "account.no_entries" : "account.no_entries_yet")}
        row={(entry) => <Row key={entry.seq} entry={entry} />}
      />
    </section>
  );
}

function Row({ entry }: { entry: Entry }) {
  const said = saidBy(entry);
  const found = verified.value?.found;
  const doubted = found !== undefined && !found.intact && entry.seq >= found.seq;
  return (
    <tr class={doubted || said === null ? "doubted" : undefined}>
      <td title={entry.hash}>
        {entry.seq}
        {(doubted || said === null) && <strong class="state bad"> ✕ {t("account.doubted")}</strong>}
      </td>
      {said === null ? <td colSpan={5}>{t("account.unreadable")}</td> : <Cells said={said} />}
    </tr>
  );
}

function Cells({ said }: { said: Said }) {
  return (
    <>
      <td>
        <Time at={said.time} />
      </td>
      <td>
        <Look text={said.name} title={said.actor} act={() => (sought.actor.value = said.actor)} />{" "}
        <small>{said.role === null ? "" : roleText(said.role)}</small>
      </td>
      <td>
        <Look text={said.action} title={said.request} act={() => (sought.action.value = said.action)} />
      </td>
      <td>
        {said.objects.slice(0, 3).map((id) => (
          <Look key={id} text={id.slice(0, 8)} title={id} act={() => (sought.object.value = id)} />
        ))}
        {said.objects.length > 3 && <small> {t("account.and_more", { count: said.objects.length - 3 })}</small>}
      </td>
      <td class="detail">
        {Object.entries(said.detail).map(([name, value]) => (
          <span key={name}>
            <small>{name}</small> {typeof value === "string" ? value : JSON.stringify(value)}{" "}
          </span>
        ))}
      </td>
    </>
  );
}

function Look({ text, title, act }: { text: string; title: string; act: () => void }) {
  return (
    <button type="button" class="look" title={title} onClick={act}>
      {text}
    </button>
  );
}

/** What stood still for a moment: nobody is asked for every letter that is written. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const waiting = setTimeout(() => setSettled(value), 250);
    return () => clearTimeout(waiting);
  }, [value]);
  return settled;
}
