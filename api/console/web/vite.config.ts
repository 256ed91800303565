import { defineConfig } from "vite";

// The service gives the page at "/" and its files below "/console/"; names of assets change with their content.
export default defineConfig({
  base: "/console/",
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
