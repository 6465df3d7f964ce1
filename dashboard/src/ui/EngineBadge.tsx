import { Badge, Tooltip } from "@mantine/core";

/** Who worded or decided something: the built-in engine, or a model by its name, and why if it had to be replaced. */
export function EngineBadge({ engine, model, fallbackReason }: {
  readonly engine: string; readonly model?: string | null | undefined; readonly fallbackReason?: string | null | undefined;
}) {
  const builtin = engine.toLowerCase() === "builtin";
  const label = builtin ? "built-in engine" : (model ?? engine);
  const why = fallbackReason ? `The configured model was not used: ${fallbackReason}` : builtin ? "Made by rules that run here; no model was asked" : "Made by a language model, and checked";
  return <Tooltip label={why} multiline maw={320}><Badge variant="default" tt="none" fw={500}>{label}{fallbackReason ? " (fallback)" : ""}</Badge></Tooltip>;
}
