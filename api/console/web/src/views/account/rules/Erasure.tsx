import { useSignal } from "@preact/signals";
import { Erase } from "./Erase";
import { Holds } from "./Holds";
import { Tombstones } from "./Tombstones";

/** What is kept from being erased, what is to be erased, and what was. */
export default function Erasure() {
  const turn = useSignal(0);
  const again = () => {
    turn.value += 1;
  };
  return (
    <>
      <Holds turn={turn.value} />
      <Erase onDone={again} />
      <Tombstones turn={turn.value} />
    </>
  );
}
