import { Button, Group, Pill, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Trouble } from "../../ui/Trouble";
import { useLogChange } from "./change";
import { UpdateLog } from "./queries";

export const LogTagsFragment = graphql(`
  fragment LogTags on Log {
    id
    version
    tags
  }
`);

/** The labels of a log. What somebody else adds or takes meanwhile stays added or taken. */
export function LogTags({ log: ref }: { readonly log: FragmentType<typeof LogTagsFragment> }) {
  const log = readFragment(LogTagsFragment, ref);
  const { write, busy } = useWrite(UpdateLog);
  const change = useLogChange(log.id);
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<Problem>();

  async function apply(edit: (tags: readonly string[]) => string[]): Promise<boolean> {
    let tags = log.tags;
    const { result } = await change(log.version, (expectedVersion) => write({ logId: log.id, expectedVersion, tags: edit(tags) }), (now) => {
      ({ tags } = now);
      return true;
    });
    setProblem(result.problem);
    return result.ok !== undefined;
  }

  async function add(): Promise<void> {
    const added = typed.split(",").map((tag) => tag.trim()).filter((tag) => tag !== "");
    if (added.length > 0 && await apply((tags) => [...new Set([...tags, ...added])])) setTyped("");
  }

  return (
    <section aria-labelledby="tags">
      <Title order={2} size="h5" id="tags" mb="xs">Tags</Title>
      {log.tags.length > 0 && (
        <Group component="ul" gap="xs" mb="xs" p={0} m={0} aria-labelledby="tags" style={{ listStyle: "none" }}>
          {log.tags.map((tag) => (
            <li key={tag}>
              <Pill size="md" withRemoveButton disabled={busy} onRemove={() => void apply((tags) => tags.filter((each) => each !== tag))} removeButtonProps={{ "aria-label": `Remove the tag ${tag}`, "aria-hidden": false, tabIndex: 0 }}>{tag}</Pill>
            </li>
          ))}
        </Group>
      )}
      <form onSubmit={(event) => { event.preventDefault(); void add(); }}>
        <Group gap="xs" wrap="nowrap">
          <TextInput aria-label="New tag" placeholder="New tag" size="xs" maxLength={200} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} style={{ flex: 1 }} />
          <Button type="submit" size="xs" variant="default" loading={busy} disabled={typed.trim() === ""}>Add</Button>
        </Group>
      </form>
      {problem && <Trouble problem={problem} title="The tags are as they were" />}
    </section>
  );
}
