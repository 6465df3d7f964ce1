import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "..");
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !name.startsWith("gql/") && !name.endsWith(".test.ts"))
  .map((name) => ({ name, text: readFileSync(join(SOURCE, name), "utf8") }));
const schema = readFileSync(join(SOURCE, "../../gateway/src/gateway/schema.graphql"), "utf8");

function filesWith(words: RegExp): string[] {
  return files.filter(({ text }) => words.test(text)).map(({ name }) => name).sort();
}

describe("no write of the dashboard goes without an idempotency key", () => {
  const documents = files.flatMap(({ name, text }) => [...text.matchAll(/graphql\(`\s*(mutation[^`]*)`/g)].map(([, document]) => ({ name, document: document ?? "" })));

  test("each mutation takes its input with the key from one variable", () => {
    expect(documents.length).toBeGreaterThan(15);
    for (const { name, document } of documents) {
      const [, input, field] = /^mutation \w+\(\$input: (\w+)!\) \{\s*(\w+)\(input: \$input\) \{/.exec(document) ?? [];
      expect(input, `${name}: ${document}`).toBe(`${(field ?? "").charAt(0).toUpperCase()}${(field ?? "").slice(1)}Input`);
      expect(schema, document).toMatch(new RegExp(`input ${input ?? ""} \\{[^}]*idempotencyKey: String`));
    }
  });

  test("all of them go through the one hook that adds it, and doors are sent one beside", () => {
    expect(filesWith(/\.mutation\(|useMutation|executeMutation/)).toEqual(["app/data.ts"]);
    // connection.ts asks whether the server is back, ProviderSignIn.tsx whether there is one; both write nothing.
    const [doors, asking] = [["app/session.ts", "features/logs/uploads.ts"], ["app/connection.ts", "features/session/ProviderSignIn.tsx"]];
    expect(filesWith(/\bfetch\(|XMLHttpRequest\(\)/).sort()).toEqual([...asking, ...doors].sort());
    expect(filesWith(/method,|"(POST|PUT|PATCH|DELETE)"/)).toEqual(["app/session.ts", "features/logs/uploads.ts"]);
    expect(filesWith(/"Idempotency-Key"/)).toEqual(["app/session.ts", "features/logs/uploads.ts"]);
    const session = files.find(({ name }) => name === "app/session.ts")?.text ?? "";
    const calls = [...session.matchAll(/ call\("(\w+)", "[^"]*", ([^)]*\)?)/g)].map(([, method, rest]) => [method, rest?.split(",")[0]]);
    expect(calls).toHaveLength(3);
    for (const [, key] of calls) expect(key).toMatch(/crypto\.randomUUID\(|^key$|key :/);
  });
});
