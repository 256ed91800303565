import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { failureText, hasNotCome, openView, report } from "../ui/failure";
import { KeyHelp } from "../ui/KeyHelp";
import { Notices } from "../ui/Notices";
import { VIEWS, type View } from "../views/table";
import { Away } from "./Away";
import { Banner } from "./Banner";
import { Clock } from "./Clock";
import { GoTo } from "./GoTo";
import { Login } from "./Login";
import { Preferences } from "./Preferences";
import { go, place, to } from "./router";
import { logOut, type Me, may, me, person } from "./session";

/** The whole page. A view stays in place under the login when a session ends, so that nothing that was begun is lost. */
export function App() {
  const who = me.value;
  const known = person.value;
  const mine = VIEWS.filter((view) => view.needs.some(may));
  const open = mine.find(({ name }) => name === place.value.view) ?? mine[0];
  const title = who == null || open === undefined ? "app.enter" : open.title;
  const named = `${t(title)} · ${t("app.name")}`;
  useEffect(() => {
    document.title = named; // of many pages of a browser, each says what it is (WCAG 2.4.2)
  }, [named]);
  return (
    <>
      <Banner where="top" />
      {who === null && <Login />}
      {known !== null && (
        <div class="page" hidden={who == null}>
          <Bar views={mine} name={known.name} role={known.role} />
          <Outlet key={known.account_id} views={mine} />
        </div>
      )}
      <Away />
      <Notices />
      <KeyHelp />
      <Banner where="bottom" />
    </>
  );
}

function Bar({ views, name, role }: { views: readonly View[]; name: string; role: Me["role"] }) {
  return (
    <header class="bar">
      <button type="button" class="skip" onClick={skip}>
        {t("app.skip")}
      </button>
      <strong class="name">{t("app.name")}</strong>
      <nav aria-label={t("app.views")}>
        {views.map((view) => (
          <a key={view.name} href={to(view.name)} aria-current={place.value.view === view.name ? "page" : undefined}>
            {t(view.title)}
          </a>
        ))}
      </nav>
      <GoTo />
      <Clock />
      <Preferences />
      <span class="who" title={`${name}, ${t(`account.role_${role}`)}`}>
        <span>{name}</span> <small>{t(`account.role_${role}`)}</small>
      </span>
      <button type="button" class="plain" onClick={() => logOut().catch(report)}>
        {t("app.leave")}
      </button>
    </header>
  );
}

/** No link: the part of the address behind # is the page's own. */
function skip(): void {
  document.getElementById("content")?.focus();
}

function Outlet({ views }: { views: readonly View[] }) {
  const [opened, setOpened] = useState<ReadonlyMap<string, ComponentType>>(new Map());
  const [failed, setFailed] = useState<ReadonlyMap<string, unknown>>(new Map());
  const asked = place.value.view;
  const view = views.find((each) => each.name === asked) ?? views[0];
  useEffect(() => {
    if (view === undefined) return;
    if (view.name !== asked) go(to(view.name), true);
    openView.value = view.name;
    if (opened.has(view.name)) return;
    view
      .load()
      .then((module) => setOpened((before) => new Map(before).set(view.name, module.default)))
      .catch((error: unknown) => setFailed((before) => new Map(before).set(view.name, error)));
  }, [view, asked, opened]);
  if (view === undefined) return <main id="content">{t("app.nothing_here")}</main>;
  const Opened = opened.get(view.name);
  return (
    <main id="content" class={`view ${view.name}`} tabIndex={-1} aria-label={t(view.title)}>
      {Opened === undefined ? (
        <Coming isComing={!failed.has(view.name)} error={failed.get(view.name)} />
      ) : (
        <Boundary key={view.name}>
          <Opened />
        </Boundary>
      )}
    </main>
  );
}

/** In the place of a view whose code is on its way; it never comes where the service is away, or another one by now. */
function Coming({ isComing, error }: { isComing: boolean; error: unknown }) {
  if (isComing) return <p role="status">{t("app.loading")}</p>;
  return <Failed words={hasNotCome(error) ? t("app.view_absent") : failureText(error)} />;
}

function Failed({ words }: { words: string }) {
  return (
    <p role="alert">
      {words}{" "}
      <button type="button" onClick={() => location.reload()}>
        {t("app.reload")}
      </button>
    </p>
  );
}

/** A view that fails says so, and leaves the rest of the page as it is. */
class Boundary extends Component<{ children: ComponentChildren }, { fault: string | null }> {
  override state = { fault: null };

  static override getDerivedStateFromError(error: unknown): { fault: string } {
    return { fault: failureText(error) };
  }

  override render({ children }: { children: ComponentChildren }, { fault }: { fault: string | null }) {
    return fault === null ? children : <Failed words={fault} />;
  }
}
