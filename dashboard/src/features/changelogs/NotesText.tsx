import { Button, Code, CopyButton, Group } from "@mantine/core";
import { IconCheck, IconCopy, IconDownload } from "@tabler/icons-react";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { changelogName } from "./account";
import classes from "./Changelog.module.css";

export const NotesFields = graphql(`
  fragment NotesText on Changelog {
    id
    markdown
    json
    toRef
    nextVersion
    repository { id name }
  }
`);

const FORMS = { markdown: { name: "Markdown", type: "text/markdown", ending: "md" }, json: { name: "JSON", type: "application/json", ending: "json" } } as const;

function download(text: string, name: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The notes as they are kept in a file: to copy, or to take along. */
export function NotesText({ changelog, form }: { readonly changelog: FragmentType<typeof NotesFields>; readonly form: keyof typeof FORMS }) {
  const it = readFragment(NotesFields, changelog);
  const text = it[form];
  const { name, type, ending } = FORMS[form];
  const file = `${changelogName(it).replace(/[^\w.-]+/g, "-")}.${ending}`;
  return (
    <>
      <Group gap="xs" mb="xs">
        <CopyButton value={text}>
          {({ copied, copy }) => <Button size="compact-md" variant="default" leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />} onClick={copy}>{copied ? "Copied" : `Copy ${name}`}</Button>}
        </CopyButton>
        <Button size="compact-md" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => download(text, file, type)}>Download {file}</Button>
      </Group>
      <Code block className={classes.raw} tabIndex={0} role="region" aria-label={`The notes as ${name}`}>{text}</Code>
    </>
  );
}
