/** milsymbol in parts: its package offers only all of it, which is six times what is needed here. */
declare module "milsymbol/parts" {
  import type { Symbol as Drawn, SymbolOptions } from "milsymbol";

  type Icons = (...given: never[]) => unknown;
  export const ms: {
    addIcons(icons: Icons): void;
    Symbol: new (code: string, options: SymbolOptions) => Drawn;
  };
  export const numberair: Icons;
}
