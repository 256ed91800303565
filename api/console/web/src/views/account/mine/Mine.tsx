import { useSignal } from "@preact/signals";
import { Password } from "./Password";
import { Sessions } from "./Sessions";

/** One's own: where one is logged in, and the password. */
export default function Mine() {
  const turn = useSignal(0);
  return (
    <>
      <Sessions turn={turn.value} />
      <Password
        onChanged={() => {
          turn.value += 1;
        }}
      />
    </>
  );
}
