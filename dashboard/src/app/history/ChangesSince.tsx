import { Text } from "@mantine/core";
import { Moment } from "../../ui/Moment";
import { ChangeSteps } from "./ChangeSteps";
import classes from "./History.module.css";
import { eventWords, whoDid, type RecordedChange } from "./words";

/** What others did while one was at it, the oldest first. */
export function ChangesSince({ changes }: { readonly changes: readonly RecordedChange[] | undefined }) {
  if (changes === undefined || changes.length === 0) return null;
  return (
    <ol className={classes.list} aria-label="What was changed meanwhile">
      {changes.map((change) => (
        <li key={change.version}>
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>{eventWords(change.event)} by {whoDid(change)}, <Moment at={change.changedAt} /></Text>
          <ChangeSteps operations={change.operations} />
        </li>
      ))}
    </ol>
  );
}
