import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

import { defineConfig, type Plugin } from "vite";

/** ONNX Runtime Web beside the page as it comes, for it starts threads from its own files; its large part compressed, as it is sent. */
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
      for (const file of ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs"]) cpSync(join(from, file), join(to, file));
      const wasm = "ort-wasm-simd-threaded.wasm";
      writeFileSync(join(to, `${wasm}.gz`), gzipSync(readFileSync(join(from, wasm)), { level: 9 }));
    },
  };
}

export default defineConfig({
  base: "./",
  build: { outDir: "../src/fear/demo/site", emptyOutDir: true, target: "es2022", modulePreload: false },
  worker: { format: "es" },
  plugins: [onnxRuntime()],
});
