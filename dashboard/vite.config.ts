import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const COMPRESSIBLE = /\.(js|css|svg|json|webmanifest)$/;
const SMALLEST_BYTES = 1_024;

/** Writes a `.br` and a `.gz` beside each file, so that the gateway compresses nothing while it serves. */
function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    // After the files are written: other plugins still change chunks while the bundle is made.
    async writeBundle({ dir = "dist" }, bundle) {
      await Promise.all(Object.keys(bundle).filter((name) => COMPRESSIBLE.test(name)).map(async (name) => {
        const source = await readFile(join(dir, name));
        if (source.length < SMALLEST_BYTES) return;
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(join(dir, `${name}.br`), brotliCompressSync(source, { params }));
        await writeFile(join(dir, `${name}.gz`), gzipSync(source, { level: 9 }));
      }));
    },
  };
}

const GENERATED = "src/gql/graphql.ts";

/**
 * Puts each generated document where it is written, so that a page loads its own and no other; masked fragments need
 * nothing at run time, as an operation brings those that it spreads.
 */
function embedDocuments(): Plugin {
  const documents = new Map<string, string>();
  return {
    name: "embed-documents",
    apply: "build",
    enforce: "pre",
    async buildStart() {
      const generated = await readFile(GENERATED, "utf8");
      for (const [, name, json] of generated.matchAll(/^export const (\w+)Document = (\{.*\}) as unknown as/gm)) documents.set(name ?? "", json ?? "");
    },
    transform(code, id) {
      if (!id.includes("/src/") || id.includes("/gql/") || !code.includes("graphql(`")) return null;
      return code.replace(/graphql\(`\s*(query|mutation|subscription|fragment)\s+(\w+)[^`]*`\)/g, (_, kind: string, name: string) => {
        const document = kind === "fragment" ? "{}" : documents.get(name);
        if (document === undefined) this.error(`${id}: ${name} is not in ${GENERATED}; run npm run codegen`);
        return `(${document} as never)`;
      });
    },
  };
}

const gateway = process.env.AIOPS_GATEWAY ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [embedDocuments(), react(), precompress()],
  build: { target: "es2023", sourcemap: false, assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: {
    host: "127.0.0.1",
    proxy: { "/graphql": { target: gateway, ws: true }, "/v1": { target: gateway } },
  },
});
