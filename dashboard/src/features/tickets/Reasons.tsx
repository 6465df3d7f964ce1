import { Text, UnstyledButton } from "@mantine/core";
import { goToWords, reasonId, type Pointing } from "./Marked";
import classes from "./Marked.module.css";
import type { Reason } from "./reasons";

/** Why a machine decided so: the words, and what they speak for. */
export function Reasons({ reasons, pointing, label }: { readonly reasons: readonly Reason[]; readonly pointing: Pointing; readonly label: string }) {
  if (reasons.length === 0) return <Text size="xs" c="dimmed" mt={4}>No words of the ticket speak for it.</Text>;
  return (
    <ul className={classes.reasons} aria-label={label}>
      {reasons.map((reason) => (
        <li key={reason.id}>
          <UnstyledButton id={reasonId(reason.id)} className={classes.reason ?? ""} data-active={pointing.active.has(reason.id) || undefined}
            onMouseEnter={() => pointing.point([reason.id])} onMouseLeave={() => pointing.point([])}
            onFocus={() => pointing.point([reason.id])} onBlur={() => pointing.point([])} onClick={() => goToWords(reason.id)}>
            <b>“{reason.quote}”</b> {reason.explanation}
          </UnstyledButton>
        </li>
      ))}
    </ul>
  );
}
