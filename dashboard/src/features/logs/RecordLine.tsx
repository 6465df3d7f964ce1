import type { Severity } from "../../gql/graphql";
import { formatMoment } from "../../ui/Moment";
import { formatClock } from "./format";
import classes from "./RecordLine.module.css";
import { SeverityMark } from "./SeverityMark";

/** Where a record stands, when it happened, how bad it is and what it says, in the columns of a log. */
export function RecordLine({ lineNumber, time, severity, body }: {
  readonly lineNumber: number; readonly time?: string | null; readonly severity?: Severity | null; readonly body: string;
}) {
  return (
    <span className={classes.line} data-line={lineNumber}>
      <span className={classes.number}><span className="visually-hidden">line </span>{lineNumber}</span>
      {time ? <time dateTime={time} title={formatMoment(time)} className={classes.time}>{formatClock(time)}</time> : <span className={classes.time}>no time</span>}
      <SeverityMark severity={severity} short />
      <span className={classes.body}>{body}</span>
    </span>
  );
}
