import { Button, FileButton, Group, Paper, Select, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { urls } from "../../app/urls";
import { Trouble } from "../../ui/Trouble";
import { SummarizeLog } from "./queries";
import { uploads, type Described } from "./uploads";

const MAXIMUM_PASTE_BYTES = 1_000_000;
const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

/** The ways of a person to bring a log in: choose files, drop them anywhere on the page, or paste text. */
export function AddLog({ described, describe, close }: {
  readonly described: Described; readonly describe: (next: Described) => void; readonly close: () => void;
}) {
  const { write, busy } = useWrite(SummarizeLog);
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const clearFiles = useRef<() => void>(null);
  const { name, service, timezone } = described;

  async function summarize(): Promise<void> {
    const title = name === "" ? "pasted text" : name;
    if (new Blob([text]).size > MAXIMUM_PASTE_BYTES) {
      uploads.add([new File([text], title, { type: "text/plain" })], described);
      setText("");
      return;
    }
    const { ok, problem: refused } = await write({ name: title, text, timezone, ...(service === "" ? {} : { service }) });
    setProblem(refused);
    if (ok) void navigate(urls.log(ok.log.id));
  }

  return (
    <Paper component="section" withBorder p="md" mb="md" aria-labelledby="add-log">
      <Title order={2} size="h4" id="add-log" mb="xs">Add a log</Title>
      <Stack gap="sm">
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <TextInput label="Name" placeholder="The file's name" maxLength={200} autoFocus value={name} miw={200} onChange={(event) => describe({ ...described, name: event.currentTarget.value })} />
          <TextInput label="Service" placeholder="Found in the lines" maxLength={200} value={service} miw={200} onChange={(event) => describe({ ...described, service: event.currentTarget.value })} />
          <Select label="Time zone" description="Of times that do not say theirs" data={ZONES} value={timezone} searchable allowDeselect={false} miw={200} inputWrapperOrder={["label", "input", "description", "error"]}
            onChange={(zone) => describe({ ...described, timezone: zone ?? "UTC" })} comboboxProps={{ keepMounted: false }} limit={60} />
        </Group>
        <Group gap="sm">
          <FileButton multiple resetRef={clearFiles} onChange={(files) => { uploads.add(files, described); clearFiles.current?.(); }}>
            {(props) => <Button {...props}>Choose files</Button>}
          </FileButton>
          <Text size="sm" c="dimmed">or drop them anywhere on this page: text or gzip, up to 50 MB each</Text>
        </Group>
        <form onSubmit={(event) => { event.preventDefault(); void summarize(); }}>
          <Stack gap="xs">
            <Textarea label="Or paste the lines" autosize minRows={3} maxRows={12} value={text} onChange={(event) => setText(event.currentTarget.value)} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
              onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit(); }} />
            {problem && <Trouble problem={problem} title="The text is not stored" />}
            <Group gap="xs">
              <Button type="submit" variant="default" loading={busy} disabled={text.trim() === ""}>Summarise the text</Button>
              <Button variant="subtle" color="gray" onClick={close}>Close</Button>
            </Group>
          </Stack>
        </form>
      </Stack>
    </Paper>
  );
}
