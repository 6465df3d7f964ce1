// What changed between two schemas, as `graphql-inspector` judges it. Arguments: old file, new file. Prints JSON.
import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [before, after] = process.argv.slice(2).map((file) => buildSchema(readFileSync(file, "utf8"), { assumeValidSDL: true }));
const changes = await diff(before, after);
const of = (level) => changes.filter((change) => change.criticality.level === level).map((change) => change.message);
console.log(
  JSON.stringify({
    breaking: of(CriticalityLevel.Breaking),
    dangerous: of(CriticalityLevel.Dangerous),
    safe: of(CriticalityLevel.NonBreaking),
  }),
);
