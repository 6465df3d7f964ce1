import { Button, SimpleGrid, Stack, Tabs, Title } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useParams } from "react-router";
import { problemAt, type Problem } from "../../app/problem";
import { useLoaded } from "../../app/data";
import { useShortcuts } from "../../app/keyboard";
import { useFilters } from "../../app/search";
import { session } from "../../app/session";
import { useStore } from "../../app/store";
import type { ChangelogQuery as ChangelogData } from "../../gql/graphql";
import { Empty } from "../../ui/Empty";
import { PageHead } from "../../ui/PageHead";
import { MissingPart, Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { AccountingLine } from "./AccountingLine";
import { BuiltDeployments } from "./BuiltDeployments";
import { ChangelogFacts } from "./ChangelogFacts";
import { changelogName } from "./account";
import { EntryList } from "./EntryList";
import { ExcludedList } from "./ExcludedList";
import { HighlightList } from "./HighlightList";
import { HighlightSuggestions } from "./HighlightSuggestions";
import { NotesText } from "./NotesText";
import { PublishDialog } from "./PublishDialog";
import { ChangelogQuery } from "./queries";
import { StateBadge } from "./StateBadge";

const HistoryPanel = lazy(() => import("../../app/history/HistoryPanel"));
const MarkdownPreview = lazy(() => import("./MarkdownPreview"));
const POLL_MS = 2_000;
const VIEWS = ["notes", "preview", "markdown", "json", "history"] as const;

export default function ChangelogPage() {
  const { id = "" } = useParams();
  const { data, loading, problem, error, reload } = useLoaded(ChangelogQuery, { id });
  const changelog = data?.changelog;
  if (loading) return <><PageHead title="Changelog" /><WaitingRows rows={10} /></>;
  // An id that is none is answered as one that is not there.
  if (problem && problem.code !== "INVALID_ARGUMENT") return <><PageHead title="Changelog" /><Trouble problem={problem} title="The changelog cannot be shown" retry={reload} /></>;
  if (!changelog) {
    return <><PageHead title="Changelog" /><Empty title="There is no such changelog">It does not exist, or it is not for your role.</Empty></>;
  }
  return <Loaded changelog={changelog} reload={reload} missing={(part) => problemAt(error, "changelog", part)} />;
}

type LoadedChangelog = NonNullable<ChangelogData["changelog"]>;

function Loaded({ changelog, reload, missing }: {
  readonly changelog: LoadedChangelog; readonly reload: () => void; readonly missing: (part: string) => Problem | undefined;
}) {
  const now = useStore(session);
  const role = "person" in now ? now.person.role : null;
  const { filters, setFilter } = useFilters(["view"]);
  const view = VIEWS.find((each) => each === filters.view) ?? "notes";
  // An object, so that the same entry can be wanted twice.
  const [wanted, setWanted] = useState<{ readonly key: string }>();
  const [publishing, setPublishing] = useState(false);
  const draft = changelog.state === "DRAFT";
  const mayPublish = draft && role !== "HR";
  const show = (name: string | null): void => setFilter("view", name === "notes" ? null : name, { replace: true });
  useShortcuts([
    ...(mayPublish ? [{ keys: "p", does: "Publish the draft", run: () => setPublishing(true) }] : []),
    { keys: "h", does: "Show the history, or the notes again", run: () => show(view === "history" ? "notes" : "history") },
    { keys: "v", does: "Show the preview, or the notes again", run: () => show(view === "preview" ? "notes" : "preview") },
  ]);
  const commits = changelog.commits ?? undefined;
  const commitsMissing = missing("commits");

  return (
    <>
      <PageHead title={changelogName(changelog)} about={<ChangelogFacts changelog={changelog} />}>
        <StateBadge state={changelog.state} />
        {mayPublish && <Button leftSection={<IconLock size={16} aria-hidden />} onClick={() => setPublishing(true)}>Publish</Button>}
      </PageHead>
      <AccountingLine changelog={changelog} />
      {role !== "HR" && <HighlightSuggestions changelog={changelog} reload={reload} />}
      <HighlightList changelog={changelog} reload={reload} pollMs={POLL_MS} open={(key) => { show("notes"); setWanted({ key }); }} />
      {commitsMissing && <MissingPart what="Authors" problem={commitsMissing} retry={reload} />}
      <Tabs value={view} onChange={(name) => { setWanted(undefined); show(name); }} keepMounted={false} mt="md">
        <Tabs.List aria-label="Ways to see the notes">
          <Tabs.Tab value="notes">Entries and commits</Tabs.Tab>
          <Tabs.Tab value="preview">Preview</Tabs.Tab>
          <Tabs.Tab value="markdown">Markdown</Tabs.Tab>
          <Tabs.Tab value="json">JSON</Tabs.Tab>
          <Tabs.Tab value="history">History</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="notes" pt="md">
          <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl">
            <Stack component="section" gap="xs" aria-labelledby="entries" style={{ minWidth: 0 }}>
              <Title order={2} size="h4" id="entries">Entries</Title>
              <EntryList changelog={changelog} commits={commits} masked={role === "HR"} wanted={wanted} />
            </Stack>
            <Stack component="section" gap="xs" aria-labelledby="left-out" style={{ minWidth: 0 }}>
              <Title order={2} size="h4" id="left-out">Left out</Title>
              <ExcludedList changelog={changelog} />
            </Stack>
          </SimpleGrid>
        </Tabs.Panel>
        <Tabs.Panel value="preview" pt="md"><Suspense fallback={<WaitingRows rows={6} />}><MarkdownPreview changelog={changelog} /></Suspense></Tabs.Panel>
        <Tabs.Panel value="markdown" pt="md"><NotesText changelog={changelog} form="markdown" /></Tabs.Panel>
        <Tabs.Panel value="json" pt="md"><NotesText changelog={changelog} form="json" /></Tabs.Panel>
        <Tabs.Panel value="history" pt="md"><Suspense fallback={<WaitingRows rows={4} height={72} />}><HistoryPanel target={{ changelogId: changelog.id }} version={changelog.version} what="changelog" /></Suspense></Tabs.Panel>
      </Tabs>
      <BuiltDeployments changelog={changelog} problem={missing("deployments")} retry={reload} />
      {mayPublish && publishing && <PublishDialog changelog={changelog} close={() => setPublishing(false)} reload={reload} />}
    </>
  );
}
