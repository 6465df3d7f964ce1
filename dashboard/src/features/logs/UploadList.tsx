import { ActionIcon, Anchor, Button, Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link } from "react-router";
import { useStore } from "../../app/store";
import { urls } from "../../app/urls";
import { Trouble } from "../../ui/Trouble";
import { formatBytes } from "./format";
import { uploads, type Upload } from "./uploads";

function said({ state, file }: Upload): string | undefined {
  switch (state.at) {
    case "waiting": return "Waits for the one before";
    case "sending": return `${formatBytes(state.sentBytes)} of ${formatBytes(file.size)}`;
    case "storing": return `${formatBytes(file.size)} sent, being stored`;
    case "stored": return "Stored; its summary follows";
    case "cancelled": return "Cancelled";
    case "refused": return undefined;
  }
}

function percent({ state, file }: Upload): number {
  if (state.at === "sending") return Math.min(100, (state.sentBytes / file.size) * 100);
  return state.at === "storing" || state.at === "stored" ? 100 : 0;
}

function UploadRow({ upload }: { readonly upload: Upload }) {
  const { key, name, state } = upload;
  const words = said(upload);
  const onTheWay = state.at === "waiting" || state.at === "sending" || state.at === "storing";
  return (
    <Paper component="li" withBorder p="xs">
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="sm" fw={500} style={{ overflowWrap: "anywhere", minWidth: 0 }}>
          {state.at === "stored" ? <Anchor component={Link} to={urls.log(state.logId)} inherit>{name}</Anchor> : name}
        </Text>
        {(state.at === "waiting" || state.at === "sending") && <Button size="compact-sm" variant="default" onClick={() => uploads.cancel(key)} aria-label={`Cancel ${name}`}>Cancel</Button>}
        {!onTheWay && <ActionIcon variant="subtle" color="gray" aria-label={`Put ${name} away`} onClick={() => uploads.dismiss(key)}><IconX size={16} /></ActionIcon>}
      </Group>
      {words !== undefined && <Text size="xs" c="dimmed" aria-live={state.at === "sending" ? "off" : "polite"}>{words}</Text>}
      {onTheWay && <Progress value={percent(upload)} mt={4} aria-label={`Upload of ${name}`} animated={state.at === "storing"} />}
      {state.at === "refused" && (
        <Trouble title={`${name} is not stored`} problem={state.problem} retry={state.again ? () => uploads.again(key) : undefined} />
      )}
    </Paper>
  );
}

/** The files of this visit: how far each is, and what to do about those that were refused. */
export function UploadList() {
  const all = useStore(uploads.list);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => { if (uploads.busy) event.preventDefault(); };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);
  if (all.length === 0) return null;
  return (
    <Stack component="ul" aria-label="Uploads" gap="xs" mb="md" p={0} style={{ listStyle: "none" }}>
      {all.map((upload) => <UploadRow key={upload.key} upload={upload} />)}
    </Stack>
  );
}
