import { useSignal } from "@preact/signals";
import { person } from "../../../app/session";
import { t } from "../../../i18n";
import { Password } from "./Password";
import { Sessions } from "./Sessions";

/** One's own: where one is logged in, and the password, where it is one of this service. */
export default function Mine() {
  const turn = useSignal(0);
  return (
    <>
      <Sessions turn={turn.value} />
      {person.value?.has_password === false ? (
        <p class="soft">{t("account.password_elsewhere")}</p>
      ) : (
        <Password
          onChanged={() => {
            turn.value += 1;
          }}
        />
      )}
    </>
  );
}
