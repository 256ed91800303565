import { useSignal } from "@preact/signals";
import { Problem } from "../api/problem";
import { t } from "../i18n";
import { configuration, expired, logIn } from "./session";

/** The way in. A one-time secret is replaced here by a password of one's own. */
export function Login() {
  const login = useSignal("");
  const password = useSignal("");
  const fresh = useSignal("");
  const changing = useSignal(false);
  const busy = useSignal(false);
  const refusal = useSignal("");

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    busy.value = true;
    refusal.value = "";
    try {
      await logIn(login.value, password.value, changing.value ? fresh.value : null);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // The service says so once it knows that the secret is right.
      if (error.status === 403 && !changing.value) changing.value = true;
      else refusal.value = error.message;
    } finally {
      busy.value = false;
    }
  }

  return (
    <main class="login" id="content">
      <h1>{t("app.name")}</h1>
      {expired.value && <p role="alert">{t("app.expired")}</p>}
      <form onSubmit={submit}>
        <label>
          {t("app.login")}
          <input
            name="login"
            autocomplete="username"
            required
            value={login.value}
            onInput={(event) => {
              login.value = event.currentTarget.value;
            }}
          />
        </label>
        <label>
          {t("app.password")}
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            required
            value={password.value}
            onInput={(event) => {
              password.value = event.currentTarget.value;
            }}
          />
        </label>
        {changing.value && (
          <>
            <p>{t("app.one_time")}</p>
            <label>
              {t("app.new_password")}
              <input
                name="new_password"
                type="password"
                autocomplete="new-password"
                required
                value={fresh.value}
                onInput={(event) => {
                  fresh.value = event.currentTarget.value;
                }}
              />
            </label>
          </>
        )}
        <p role="alert">{refusal.value}</p>
        <button type="submit" class="primary" disabled={busy.value}>
          {t("app.enter")}
        </button>
      </form>
      {configuration.value?.single_sign_on && <a href="/oidc/login">{t("app.single_sign_on")}</a>}
    </main>
  );
}
