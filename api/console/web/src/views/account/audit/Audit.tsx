import { Chain } from "./Chain";
import { Entries } from "./Entries";

/** Who did what and when, and whether the chain that says so was touched. */
export default function Audit() {
  return (
    <>
      <Chain />
      <Entries />
    </>
  );
}
