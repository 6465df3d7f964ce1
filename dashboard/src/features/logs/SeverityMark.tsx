import type { Severity } from "../../gql/graphql";
import classes from "./Severity.module.css";

/** Mildest first, as `minimumSeverity` counts. */
export const SEVERITIES: readonly Severity[] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

export function isSeverity(value: string | undefined): value is Severity {
  return (SEVERITIES as readonly (string | undefined)[]).includes(value);
}

/** How bad it is, by word or letter and colour. */
export function SeverityMark({ severity, short = false }: { readonly severity: Severity | null | undefined; readonly short?: boolean }) {
  const word = severity ?? "none";
  if (!short) return <span className={`${classes.severity} ${classes[word]}`}>{severity ?? "no severity"}</span>;
  return (
    <span className={`${classes.severity} ${classes[word]}`} title={severity ?? "no severity"}>
      <span aria-hidden>{severity?.[0] ?? "·"}</span>
      <span className="visually-hidden">{severity ?? "no severity"}</span>
    </span>
  );
}
