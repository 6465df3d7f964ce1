import { Anchor } from "@mantine/core";
import { memo, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { CopyText } from "../../ui/CopyText";
import { RecordLine } from "./RecordLine";
import classes from "./RecordLine.module.css";

export const LogRecordRowFragment = graphql(`
  fragment LogRecordRow on LogRecord {
    id
    lineNumber
    time
    observedTime
    severity
    severityText
    body
    attributes { key value }
    service
    traceId
    patternId
    truncated
  }
`);

/** One record; a click shows all of it. Plain elements and made once: hundreds come and go in a second of scrolling. */
export const RecordRow = memo(function RecordRow({ record: ref, opened, onToggle }: {
  readonly record: FragmentType<typeof LogRecordRowFragment>; readonly opened: boolean; readonly onToggle: (id: string) => void;
}) {
  const { id, lineNumber, time, severity, body } = readFragment(LogRecordRowFragment, ref);
  return (
    <>
      <button type="button" className={classes.button} aria-expanded={opened} onClick={() => onToggle(id)}>
        <RecordLine lineNumber={lineNumber} time={time ?? null} severity={severity ?? null} body={body} />
      </button>
      {opened && <RecordFacts record={ref} />}
    </>
  );
});

function RecordFacts({ record: ref }: { readonly record: FragmentType<typeof LogRecordRowFragment> }) {
  const record = readFragment(LogRecordRowFragment, ref);
  const [params] = useSearchParams();
  const [whole] = useState(() => record.body.length > 200 || record.body.includes("\n"));
  const samePattern = new URLSearchParams(params);
  if (record.patternId) samePattern.set("pattern", record.patternId);
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    ["time", record.time], ["arrived", record.observedTime], ["severity", record.severityText], ["service", record.service],
    ...record.attributes.map(({ key, value }) => [key, value] as const),
  ];
  return (
    <div className={classes.more}>
      {whole && <div className={classes.whole} tabIndex={0} role="region" aria-label={`Line ${record.lineNumber} in full`}>{record.body}</div>}
      {record.truncated && <p>The line was longer than 64 KiB; only its beginning is kept.</p>}
      <dl className={classes.facts}>
        {facts.map(([name, value]) => value && <div key={name} style={{ display: "contents" }}><dt>{name}</dt><dd>{value}</dd></div>)}
        {record.traceId && <><dt>trace</dt><dd><CopyText text={record.traceId} label="Copy the trace id" /></dd></>}
      </dl>
      <CopyText text={record.body} label={`Copy line ${record.lineNumber}`}>copy the line</CopyText>
      {record.patternId && <> · <Anchor component={Link} to={{ search: samePattern.toString() }} preventScrollReset size="xs">all lines with this pattern</Anchor></>}
    </div>
  );
}
