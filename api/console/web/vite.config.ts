import { defineConfig, type Plugin } from "vite";

/** The page asks for the code of maps as it opens, not after its own has run: nearly every view has one. */
const mapFirst: Plugin = {
  name: "map-first",
  transformIndexHtml: {
    order: "post",
    handler(_html, { bundle }) {
      const chunks = Object.values(bundle ?? {}).filter((one) => one.type === "chunk");
      const [map] = chunks.filter(({ moduleIds }) => moduleIds.some((id) => id.includes("/maplibre-gl/dist/")));
      if (map === undefined) throw new Error("no chunk has the code of maps");
      const attrs = { rel: "modulepreload", crossorigin: true, href: `/console/${map.fileName}` };
      return [{ tag: "link", attrs, injectTo: "head" }];
    },
  },
};

// The service gives the page at "/" and its files below "/console/"; names of assets change with their content.
export default defineConfig({
  base: "/console/",
  plugins: [mapFirst],
  publicDir: false,
  resolve: {
    // Its parts, which it does not export: the whole has every symbol of five standards.
    alias: { "milsymbol/parts": new URL("node_modules/milsymbol/index.mjs", import.meta.url).pathname },
  },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsDir: "",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
  },
  worker: { format: "es" },
});
