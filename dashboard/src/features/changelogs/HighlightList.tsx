import { Alert, Anchor, Group, Loader, Text, Title } from "@mantine/core";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { EngineBadge } from "../../ui/EngineBadge";
import { many } from "./account";
import { usePolling } from "./polling";

const Highlights = graphql(`
  fragment HighlightList on Changelog {
    id
    highlightState
    highlightFailure
    highlights {
      engine
      model
      fallbackReason
      replacedCount
      highlights { text entryKeys engine references }
    }
    entries { key text }
  }
`);

/** The worded top of the notes: each sentence leads to the entries that it stands for. */
export function HighlightList({ changelog, reload, pollMs, open }: {
  readonly changelog: FragmentType<typeof Highlights>; readonly reload: () => void; readonly pollMs: number; readonly open: (entryKey: string) => void;
}) {
  const it = readFragment(Highlights, changelog);
  const pending = it.highlightState === "PENDING";
  usePolling(reload, pollMs, pending);
  const texts = new Map(it.entries.map(({ key, text }) => [key, text]));
  return (
    <section aria-labelledby="highlights">
      <Group gap="xs" mt="md" mb={4}>
        <Title order={2} size="h4" id="highlights">Highlights</Title>
        {it.highlights && <EngineBadge {...it.highlights} />}
        {it.highlights && it.highlights.replacedCount > 0 && <Text size="xs" c="dimmed">{many(it.highlights.replacedCount, "sentence")} of the model failed the check, and the built-in engine worded {it.highlights.replacedCount === 1 ? "it" : "them"}</Text>}
      </Group>
      <div aria-live="polite">
        {pending && <Group gap="xs"><Loader size="xs" aria-hidden /><Text size="sm" c="dimmed">Being worded. The notes below are ready; this part comes by itself in a few seconds.</Text></Group>}
        {it.highlightState === "FAILED" && (
          <Alert color="yellow" variant="light" title="There are no highlights">
            {it.highlightFailure ?? "They could not be worded."} The notes below are whole without them. To try again, make a new draft of the same range.
          </Alert>
        )}
        {it.highlightState === "READY" && !it.highlights && <Text size="sm" c="dimmed">Nothing to highlight.</Text>}
      </div>
      {it.highlights && (
        <ul>
          {it.highlights.highlights.map((highlight) => (
            <li key={highlight.text}>
              <Text component="span" style={{ overflowWrap: "anywhere" }}>{highlight.text}</Text>{" "}
              <Text component="span" size="sm" c="dimmed">
                {highlight.references.length > 0 && `${highlight.references.join(", ")} `}
                {highlight.engine.toLowerCase() !== it.highlights?.engine.toLowerCase() && <EngineBadge engine={highlight.engine} />}{" "}
                {highlight.entryKeys.map((key) => <Anchor key={key} component="button" size="sm" mr={6} onClick={() => open(key)}>{key}<span className="visually-hidden"> show the entry: {texts.get(key) ?? key}</span></Anchor>)}
              </Text>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
