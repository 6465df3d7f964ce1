import { Button, Divider, Stack } from "@mantine/core";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { Trouble } from "../../ui/Trouble";
import { reasonOfRefusal } from "./refusals";

/** The way through the organisation's provider, where there is one, and why it led back here. */
export function ProviderSignIn() {
  const [params] = useSearchParams();
  const [name, setName] = useState<string>();
  const refused = params.get("refused");

  useEffect(() => {
    const asked = new AbortController();
    fetch("/v1/session/oidc", { signal: asked.signal })
      .then(async (response) => (response.ok ? ((await response.json()) as { name: string | null }).name : null))
      .then((found) => { setName(found ?? undefined); })
      .catch(() => undefined); // Without an answer there is no button, and passwords still work.
    return () => { asked.abort(); };
  }, []);

  if (name === undefined && refused === null) return null;
  return (
    <Stack mb="md">
      {refused !== null && <Trouble problem={{ code: refused, message: reasonOfRefusal(refused) }} title="You are not signed in" />}
      {name !== undefined && (
        <>
          <Button component="a" href={`/v1/session/oidc/start?next=${encodeURIComponent(params.get("to") ?? "/")}`} variant="default">Sign in with {name}</Button>
          <Divider label="or" labelPosition="center" />
        </>
      )}
    </Stack>
  );
}
