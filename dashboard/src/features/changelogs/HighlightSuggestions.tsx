import { useState } from "react";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { EngineBadge } from "../../ui/EngineBadge";
import { Moment } from "../../ui/Moment";
import { Suggestion } from "../../ui/Suggestion";
import { Trouble } from "../../ui/Trouble";
import { AcceptSuggestionMutation, DismissSuggestionMutation } from "./queries";

const Suggested = graphql(`
  fragment HighlightSuggestions on Changelog {
    id
    version
    highlightSuggestions { id suggestedAt readVersion highlights { engine model fallbackReason highlights { text } } }
  }
`);

/** Highlights that came when the changelog did not wait for them any more. */
export function HighlightSuggestions({ changelog, reload }: { readonly changelog: FragmentType<typeof Suggested>; readonly reload: () => void }) {
  const it = readFragment(Suggested, changelog);
  const accept = useWrite(AcceptSuggestionMutation);
  const dismiss = useWrite(DismissSuggestionMutation);
  const [problem, setProblem] = useState<Problem>();

  async function decide(write: typeof accept.write | typeof dismiss.write, suggestionId: string): Promise<void> {
    const done = await write({ changelogId: it.id, expectedVersion: it.version, suggestionId });
    setProblem(done.problem);
    if (done.problem?.code === "VERSION_CONFLICT") reload();
  }

  return (
    <>
      {problem && <Trouble problem={problem} title="The suggestion is as it was" />}
      {it.highlightSuggestions.map(({ id, suggestedAt, readVersion, highlights }) => (
        <Suggestion key={id} title="Highlights are suggested" busy={accept.busy || dismiss.busy} take={() => void decide(accept.write, id)} putAway={() => void decide(dismiss.write, id)}
          why={<>They came <Moment at={suggestedAt} />, made of version {readVersion}, when the changelog had gone on. <EngineBadge engine={highlights.engine} model={highlights.model} fallbackReason={highlights.fallbackReason} /></>}>
          <ul>{highlights.highlights.map(({ text }) => <li key={text} style={{ overflowWrap: "anywhere" }}>{text}</li>)}</ul>
        </Suggestion>
      ))}
    </>
  );
}
