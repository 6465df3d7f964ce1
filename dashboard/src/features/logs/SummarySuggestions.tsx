import { useState } from "react";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { EngineBadge } from "../../ui/EngineBadge";
import { Moment } from "../../ui/Moment";
import { Suggestion } from "../../ui/Suggestion";
import { Trouble } from "../../ui/Trouble";
import { useLogChange } from "./change";
import { AcceptLogSuggestion, DismissLogSuggestion } from "./queries";

export const SummarySuggestionsFragment = graphql(`
  fragment SummarySuggestions on Log {
    id
    version
    summarySuggestions { id suggestedAt summary { engine model fallbackReason readVersion sentences { text } } }
  }
`);

/** Summaries that came when the log did not wait for them any more. */
export function SummarySuggestions({ log: ref }: { readonly log: FragmentType<typeof SummarySuggestionsFragment> }) {
  const log = readFragment(SummarySuggestionsFragment, ref);
  const accept = useWrite(AcceptLogSuggestion);
  const dismiss = useWrite(DismissLogSuggestion);
  const change = useLogChange(log.id);
  const [problem, setProblem] = useState<Problem>();

  async function decide(write: typeof accept.write | typeof dismiss.write, suggestionId: string): Promise<void> {
    const { result } = await change<{ readonly problem?: Problem | undefined }>(log.version, (expectedVersion) => write({ logId: log.id, expectedVersion, suggestionId }), () => true);
    setProblem(result.problem);
  }

  return (
    <>
      {problem && <Trouble problem={problem} title="The suggestion is as it was" />}
      {log.summarySuggestions.map(({ id, suggestedAt, summary }) => (
        <Suggestion key={id} title="Another summary is suggested" busy={accept.busy || dismiss.busy} take={() => void decide(accept.write, id)} putAway={() => void decide(dismiss.write, id)}
          why={<>It came <Moment at={suggestedAt} />, made of version {summary.readVersion ?? "unknown"}, when the log had gone on. <EngineBadge engine={summary.engine} model={summary.model} fallbackReason={summary.fallbackReason} /></>}>
          <ul>{summary.sentences.map(({ text }, place) => <li key={place} style={{ overflowWrap: "anywhere" }}>{text}</li>)}</ul>
        </Suggestion>
      ))}
    </>
  );
}
