import { Recalls } from "./Recalls";
import { Subscriptions } from "./Subscriptions";

/** A partner's own: what it has to erase, and what it gets by itself. */
export default function Received() {
  return (
    <>
      <Recalls />
      <Subscriptions />
    </>
  );
}
