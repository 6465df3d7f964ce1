import { Anchor, Button, Code, Group, NativeSelect } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { usePages } from "../../app/data";
import { useShortcuts } from "../../app/keyboard";
import { useFilters } from "../../app/search";
import { session } from "../../app/session";
import { useStore } from "../../app/store";
import { urls } from "../../app/urls";
import { Empty } from "../../ui/Empty";
import { PageHead } from "../../ui/PageHead";
import { Rows, useRowKeys } from "../../ui/Rows";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { ChangelogRow } from "./ChangelogRow";
import { NewDraft } from "./NewDraft";
import { PushHint } from "./PushHint";
import { ChangelogsQuery } from "./queries";

const PAGE = 30;
const STATES = [{ value: "", label: "Any state" }, { value: "DRAFT", label: "Drafts" }, { value: "PUBLISHED", label: "Published" }];

export default function ChangelogsPage() {
  const now = useStore(session);
  const writes = "person" in now && now.person.role !== "HR";
  const { filters, setFilter, clear, any } = useFilters(["repository", "state"]);
  const state = filters.state === "DRAFT" || filters.state === "PUBLISHED" ? filters.state : null;
  const list = usePages(ChangelogsQuery, { repository: filters.repository ?? null, state, first: PAGE }, (data) => data.changelogs);
  const [making, setMaking] = useState(false);
  const filter = useRef<HTMLSelectElement>(null);
  const { current, next, previous, choose } = useRowKeys(list.nodes.length);
  useShortcuts([
    { keys: "/", does: "Go to the filters", run: () => filter.current?.focus() },
    { keys: "j", does: "Next changelog", run: next },
    { keys: "k", does: "Previous changelog", run: previous },
    ...(writes ? [{ keys: "n", does: "New draft", run: () => setMaking(true) }] : []),
  ]);
  const repositories = list.data?.repositories?.nodes ?? [];
  const names = [...new Set([...repositories.map(({ name }) => name), ...(filters.repository === undefined ? [] : [filters.repository])])];

  return (
    <>
      <PageHead title="Changelogs" about="What changed, for those who use it: each commit stands in an entry, or is left out with a reason.">
        {writes && <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>New draft</Button>}
      </PageHead>
      <Group gap="sm" mb="sm" align="flex-end">
        <NativeSelect ref={filter} label="Repository" value={filters.repository ?? ""} onChange={(event) => setFilter("repository", event.currentTarget.value)}
          data={[{ value: "", label: "All repositories" }, ...names.map((name) => ({ value: name, label: name }))]} />
        {writes && <NativeSelect label="State" value={state ?? ""} data={STATES} onChange={(event) => setFilter("state", event.currentTarget.value)} />}
        {any && <Button variant="default" onClick={clear}>Clear filters</Button>}
      </Group>
      {list.problem && <Trouble problem={list.problem} title="The changelogs cannot be shown" retry={list.reload} />}
      {list.loading ? <WaitingRows height={60} /> : list.nodes.length > 0 ? (
        <Rows label="Changelogs" items={list.nodes} keyOf={({ id }) => id} hrefOf={({ id }) => urls.changelog(id)} current={current} onCurrent={choose}>
          {(changelog) => <ChangelogRow changelog={changelog} />}
        </Rows>
      ) : !list.problem && <Nothing filtered={any} clear={clear} writes={writes} pushed={repositories.length > 0} begin={() => setMaking(true)} />}
      {list.hasMore && <Group justify="center" mt="sm"><Button variant="default" loading={list.loadingMore} onClick={list.more}>Show more</Button></Group>}
      {writes && <NewDraft opened={making} close={() => setMaking(false)} repositories={repositories} {...(filters.repository === undefined ? {} : { chosen: filters.repository })} />}
    </>
  );
}

function Nothing({ filtered, clear, writes, pushed, begin }: {
  readonly filtered: boolean; readonly clear: () => void; readonly writes: boolean; readonly pushed: boolean; readonly begin: () => void;
}) {
  if (filtered) return <Empty title="No changelog fits the filters"><Anchor component="button" onClick={clear}>Clear the filters</Anchor> to see all of them.</Empty>;
  if (!writes) return <Empty title="Nothing is published yet">Changelogs appear here when a release manager publishes one.</Empty>;
  if (pushed) {
    return (
      <Empty title="No changelog yet">
        The commits are here: <Anchor component="button" onClick={begin}>make a draft</Anchor> of a range of them, or run <Code>aiops changelogs generate</Code>.
      </Empty>
    );
  }
  return <Empty title="No commits yet"><PushHint /></Empty>;
}
