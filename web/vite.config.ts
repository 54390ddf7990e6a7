import { cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

import { defineConfig, type Plugin } from "vite";

/** Puts the files of ONNX Runtime Web beside the page unchanged, because it starts threads from its own files. `make web` compresses the large one. */
function onnxRuntime(): Plugin {
  let site = "";
  return {
    name: "onnx-runtime",
    apply: "build",
    configResolved({ root, build }) {
      site = resolve(root, build.outDir);
    },
    closeBundle() {
      const from = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
      const to = join(site, "ort");
      mkdirSync(to, { recursive: true });
      for (const file of ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]) cpSync(join(from, file), join(to, file));
    },
  };
}

export default defineConfig({
  base: "./",
  build: { outDir: "../src/fear/demo/site", emptyOutDir: true, target: "es2022", modulePreload: false },
  worker: { format: "es" },
  plugins: [onnxRuntime()],
});
