import { Code, Text } from "@mantine/core";
import { CopyText } from "../../ui/CopyText";

/** How commits get here. */
export function PushHint() {
  const login = `aiops login --url ${location.origin}`;
  const push = "aiops commits push --repository shop/checkout --service checkout";
  return (
    <>
      <Text size="sm">A changelog is made of pushed commits. In the folder of your git repository, with your own names for the repository and the service:</Text>
      <Code block my="xs" ta="left" style={{ whiteSpace: "pre-wrap" }}>{`${login}\n${push}`}</Code>
      <CopyText text={`${login}\n${push}`} label="Copy the commands">copy both commands</CopyText>
      <Text size="sm" mt="xs">
        In a pipeline set <Code>AIOPS_URL</Code> to this address and <Code>AIOPS_TOKEN</Code> to an API token with the scope <Code>changes:write</Code>; an admin makes one under People.
        Pushing again is harmless: what is there stays as it is.
      </Text>
    </>
  );
}
