import { configuration } from "./session";

/** The marking of this system: always there, at the top and at the bottom, and first to be read out. */
export function Banner({ where }: { where: "top" | "bottom" }) {
  const set = configuration.value;
  if (set === null) return null;
  const style = { "--marking": set.marking_colour, "--marking-ink": letters(set.marking_colour) };
  return (
    <p class={`banner ${where}`} style={style} aria-hidden={where === "bottom"}>
      {set.marking}
    </p>
  );
}

/** Black or white, whichever stands out more on that ground (relative luminance of WCAG 2.2). */
export function letters(ground: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(ground.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
}
