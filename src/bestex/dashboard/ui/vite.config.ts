import { defineConfig } from "vite";

// `BESTEX_API` names a running desk for `npm run dev`; the built app is served by the API process itself.
const api = process.env.BESTEX_API ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  build: { outDir: "../static", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 400 },
  server: { host: "127.0.0.1", proxy: { "/api": { target: api, ws: true } } },
});
