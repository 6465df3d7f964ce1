import { Anchor, Group, Stack } from "@mantine/core";
import { useParams } from "react-router";
import { useLoaded, useUpdates } from "../../app/data";
import { HistoryTabs } from "../../app/history/HistoryTabs";
import { readFragment } from "../../gql";
import { Empty } from "../../ui/Empty";
import { PageHead } from "../../ui/PageHead";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { LogChanges } from "./LogChanges";
import { LogHead } from "./LogHead";
import { LogHistogram } from "./LogHistogram";
import { LogNotes } from "./LogNotes";
import { LogPatterns, LogPatternsFragment } from "./LogPatterns";
import { LogRecords } from "./LogRecords";
import { LogSummary } from "./LogSummary";
import classes from "./LogPage.module.css";
import { LogTags } from "./LogTags";
import { LogTickets } from "./LogTickets";
import { LogQuery, LogUpdates } from "./queries";
import { SummarySuggestions } from "./SummarySuggestions";

/** Codes that say the same to whoever asks: there is nothing here for you. */
const NOTHING_HERE: readonly string[] = ["LOG_NOT_FOUND", "NOT_FOUND", "INVALID_ARGUMENT", "FORBIDDEN", "ROLE_FORBIDDEN"];

export default function LogPage() {
  const { id = "" } = useParams();
  return <OneLog key={id} id={id} />;
}

function OneLog({ id }: { readonly id: string }) {
  const { data, loading, problem, error, reload } = useLoaded(LogQuery, { id });
  const log = data?.log;
  useUpdates(LogUpdates, { logId: id }, { pause: !log });
  if (loading) return <><PageHead title="Log" /><WaitingRows rows={3} height={120} /></>;
  if (!log) {
    if (problem && !NOTHING_HERE.includes(problem.code)) return <><PageHead title="Log" /><Trouble problem={problem} title="The log cannot be shown" retry={reload} /></>;
    return <Empty alone title="There is no such log">It was never there, or it is not for your role. The list of logs shows what is.</Empty>;
  }
  const templates = readFragment(LogPatternsFragment, log).patterns?.nodes;
  return (
    <>
      <LogHead log={log} />
      <HistoryTabs target={{ logId: log.id }} version={log.version} what="log">
        <JumpTo />
        <div className={classes.page}>
          <div><SummarySuggestions log={log} /><LogSummary log={log} error={error} reload={reload} /></div>
          <Stack gap="xl" className={classes.side ?? ""}>
            <LogTickets log={log} error={error} reload={reload} />
            <LogChanges log={log} error={error} reload={reload} />
            <LogTags log={log} />
            <LogNotes log={log} />
          </Stack>
          <Stack gap="xl">
            <LogHistogram log={log} error={error} reload={reload} />
            <LogPatterns log={log} error={error} reload={reload} />
            <LogRecords logId={log.id} recordCount={log.recordCount} templateOf={(pattern) => templates?.find((each) => each.pattern.id === pattern)?.pattern.template} />
          </Stack>
        </div>
      </HistoryTabs>
    </>
  );
}

const PARTS = [["tickets", "Tickets"], ["changes", "Changes"], ["histogram", "Over time"], ["patterns", "Patterns"], ["records", "Records"]] as const;

/** The parts of a long page, one tap away where they stand below each other. */
function JumpTo() {
  return (
    <Group component="nav" aria-label="Parts of this page" hiddenFrom="lg" gap={10} mb="md">
      {PARTS.map(([id, name]) => (
        <Anchor key={id} component="button" type="button" size="sm" mih={28} onClick={() => {
          const part = document.getElementById(id);
          part?.scrollIntoView();
          part?.setAttribute("tabindex", "-1");
          part?.focus({ preventScroll: true });
        }}>{name}</Anchor>
      ))}
    </Group>
  );
}
