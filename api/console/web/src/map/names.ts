import type { ExpressionSpecification } from "maplibre-gl";

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/**
 * What a country is called in a language: as the browser knows it by its ISO 3166 code, else as the map does.
 *
 * @param language tag of a language, such as "en" or "pt-BR"
 */
export function countryName(language: string): ExpressionSpecification {
  const names = new Intl.DisplayNames([language, "en"], { type: "region", fallback: "none" });
  const known = LETTERS.flatMap((first) => LETTERS.map((second) => first + second)).flatMap((code) => {
    const name = names.of(code);
    return name === undefined ? [] : [code, name];
  });
  return [
    "match",
    ["coalesce", ["get", "alpha2"], ""],
    ...known,
    ["get", "name"],
  ] as unknown as ExpressionSpecification;
}
