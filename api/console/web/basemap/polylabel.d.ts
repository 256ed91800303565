declare module "polylabel" {
  /** The point of a polygon (its outer ring first) that is farthest from its outline, to within `precision`. */
  export default function polylabel(polygon: [number, number][][], precision?: number): [number, number];
}
