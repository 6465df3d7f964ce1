import { Anchor, Button, Group, Loader, Paper, SimpleGrid, Text, Title } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import type { CombinedError } from "urql";
import { useWrite } from "../../app/data";
import { problemAt, type Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import type { LogSummaryFragment as Summarised } from "../../gql/graphql";
import { EngineBadge } from "../../ui/EngineBadge";
import { MissingPart, Trouble } from "../../ui/Trouble";
import { useLogChange } from "./change";
import { formatCount, formatSpan } from "./format";
import classes from "./LogSummary.module.css";
import { ResummarizeLog } from "./queries";
import { RecordLine } from "./RecordLine";
import lines from "./RecordLine.module.css";

export const LogSummaryFragment = graphql(`
  fragment LogSummary on Log {
    id
    version
    state
    failure
    updatedAt
    summary {
      engine
      model
      fallbackReason
      replacedSentenceCount
      createdAt
      sentences {
        text
        engine
        recordIds
        records { id lineNumber time severity body patternId }
      }
    }
  }
`);

type Sentence = NonNullable<Summarised["summary"]>["sentences"][number];

/** What the log says. Each sentence opens the lines that it rests on, and a link to it opens them too. */
export function LogSummary({ log: ref, error, reload }: {
  readonly log: FragmentType<typeof LogSummaryFragment>; readonly error: CombinedError | undefined; readonly reload: () => void;
}) {
  const log = readFragment(LogSummaryFragment, ref);
  const { write, busy } = useWrite(ResummarizeLog);
  const change = useLogChange(log.id);
  const [problem, setProblem] = useState<Problem>();
  const [params] = useSearchParams();
  const { summary } = log;
  const chosen = Number(params.get("sentence"));
  const open = summary?.sentences[chosen - 1];

  async function again(): Promise<void> {
    const { result } = await change(log.version, (expectedVersion) => write({ logId: log.id, expectedVersion }), () => true);
    setProblem(result.problem);
  }

  const againButton = <Button size="compact-sm" variant="default" loading={busy} onClick={() => void again()}>Summarise again</Button>;
  return (
    <section aria-labelledby="summary">
      <Group justify="space-between" mb="xs" gap="xs">
        <Group gap="xs">
          <Title order={2} size="h4" id="summary">Summary</Title>
          {summary && <EngineBadge engine={summary.engine} model={summary.model} fallbackReason={summary.fallbackReason} />}
        </Group>
        {log.state === "SUMMARIZED" && againButton}
      </Group>
      {problem && <Trouble problem={problem} title="It is not summarised again" />}
      <div role="status" aria-live="polite">{log.state === "RECEIVED" && <Waiting since={log.updatedAt} />}</div>
      {log.state === "FAILED" && (
        <Trouble title="The summary could not be made" problem={{ code: "SUMMARY_FAILED", message: log.failure ?? "The reason was not told." }}>{againButton}</Trouble>
      )}
      {summary && summary.replacedSentenceCount > 0 && (
        <Text size="sm" c="dimmed" mb="xs">
          {formatCount(summary.replacedSentenceCount, "sentence")} of the model did not hold against the lines and {summary.replacedSentenceCount === 1 ? "was" : "were"} replaced by the built-in engine.
        </Text>
      )}
      {summary && (
        <SimpleGrid cols={{ base: 1, md: open ? 2 : 1 }} spacing="md">
          <Paper withBorder>
            <ol className={classes.sentences}>
              {summary.sentences.map((sentence, index) => (
                <li key={index}><SentenceLink sentence={sentence} number={index + 1} open={index + 1 === chosen} /></li>
              ))}
            </ol>
            {summary.sentences.length === 0 && <Text size="sm" c="dimmed" p="sm">Nothing in the lines stands out.</Text>}
          </Paper>
          {open && <CitedLines key={chosen} number={chosen} sentence={open} problem={problemAt(error, "log", "summary", "sentences", "records")} reload={reload} />}
        </SimpleGrid>
      )}
    </section>
  );
}

function Waiting({ since }: { readonly since: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const seconds = (now - Date.parse(since)) / 1_000;
  return (
    <Paper withBorder p="md" mih={120}>
      <Group gap="sm"><Loader size="sm" aria-hidden /><Text size="sm">The summary is being made. It appears here by itself.</Text></Group>
      {seconds >= 5 && <Text size="xs" c="dimmed" mt="xs" aria-hidden>It takes {formatSpan(seconds)} so far; large logs and language models take longer.</Text>}
    </Paper>
  );
}

function SentenceLink({ sentence, number, open }: { readonly sentence: Sentence; readonly number: number; readonly open: boolean }) {
  const [params] = useSearchParams();
  const next = new URLSearchParams(params);
  if (open) next.delete("sentence");
  else next.set("sentence", String(number));
  return (
    <Link to={{ search: next.toString() }} preventScrollReset className={classes.sentence} aria-expanded={open} aria-controls={open ? "cited" : undefined} role="button"
      onKeyDown={(event) => { if (event.key === " ") { event.preventDefault(); event.currentTarget.click(); } }}>
      {sentence.text} <span className={classes.cite}>[{formatCount(sentence.recordIds.length, "line")}]</span>
    </Link>
  );
}

function CitedLines({ number, sentence, problem, reload }: {
  readonly number: number; readonly sentence: Sentence; readonly problem: Problem | undefined; readonly reload: () => void;
}) {
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => { panel.current?.scrollIntoView({ block: "nearest" }); }, []);
  const { records } = sentence;
  const missing = records ? sentence.recordIds.length - records.length : 0;
  const pattern = records?.[0]?.patternId;
  return (
    <Paper withBorder id="cited" ref={panel} component="section" aria-label={`Lines of sentence ${number}`} py="xs">
      <Text size="sm" fw={500} px="sm" mb={4}>Sentence {number} rests on {formatCount(sentence.recordIds.length, "line")}</Text>
      {records
        ? <ol className={`${classes.lines} ${lines.narrow}`}>{records.map((record) => <li key={record.id}><RecordLine lineNumber={record.lineNumber} time={record.time ?? null} severity={record.severity ?? null} body={record.body} /></li>)}</ol>
        : <MissingPart what="These lines" problem={problem ?? { code: "UNAVAILABLE", message: "they did not arrive" }} retry={reload} />}
      {missing > 0 && <Text size="xs" c="dimmed" px="sm" mt={4}>{formatCount(missing, "line")} of them {missing === 1 ? "was" : "were"} deleted when the time to keep records was over.</Text>}
      {pattern && <Anchor component={Link} to={{ search: `?pattern=${pattern}`, hash: "records" }} size="sm" px="sm">All lines with this pattern</Anchor>}
    </Paper>
  );
}
