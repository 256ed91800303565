import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { OUT_OF_REACH, Problem } from "./api/problem";
import { App } from "./app/App";
import { language } from "./app/preferences";
import { place } from "./app/router";
import { begin } from "./app/session";
import { loadLanguage, t } from "./i18n";
import { noticeHands } from "./ui/attention";
import { noticeFaults, report, say } from "./ui/failure";
import { listenForKeys } from "./ui/keys";
import { VIEWS } from "./views/table";

effect(() => {
  loadLanguage(language.value).catch(report);
});

noticeFaults();
listenForKeys();
noticeHands();

const root = document.getElementById("console");
if (root === null) throw new Error("the page has no element for the console");
render(<App />, root);

// The code of the view that is asked for comes while the service says who is there. Whoever opens it is told of a failure.
VIEWS.find(({ name }) => name === place.peek().view)
  ?.load()
  .catch(() => undefined);

/** The service may be starting yet, or away: the page waits for it. */
async function start(): Promise<void> {
  try {
    await begin();
  } catch (error) {
    if (!(error instanceof Problem && error.passing)) return report(error);
    say(t("app.unreachable"), "bad", error.message === OUT_OF_REACH ? [] : [error.message]);
    setTimeout(start, 2000);
  }
}
start();
