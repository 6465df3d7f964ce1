import { Stack, Tabs } from "@mantine/core";
import { lazy, Suspense, useState, type ReactNode } from "react";
import type { ReplayTarget } from "../../gql/graphql";
import { WaitingRows } from "../../ui/Waiting";
import { useShortcuts } from "../keyboard";
import { useFilters } from "../search";

const HistoryPanel = lazy(() => import("./HistoryPanel"));

/** A page of two sides: what the thing is, and how it became so, which is asked for only when it is looked at. */
export function HistoryTabs({ target, version, what, children }: {
  readonly target: ReplayTarget; readonly version: number; readonly what: string; readonly children: ReactNode;
}) {
  const { filters, setFilter } = useFilters(["view"]);
  const view = filters.view === "history" ? "history" : "now";
  const [seen, setSeen] = useState(view === "now");
  if (view === "now" && !seen) setSeen(true);
  const show = (name: string | null): void => setFilter("view", name === "history" ? name : null, { replace: true });
  useShortcuts([{ keys: "h", does: "Show the history, or the page as it is now", run: () => show(view === "history" ? null : "history") }]);
  return (
    // What is typed on the first side stays while one looks at the other.
    <Tabs value={view} onChange={show}>
      <Tabs.List aria-label={`Sides of the ${what}`} mb="md">
        <Tabs.Tab value="now">Now</Tabs.Tab>
        <Tabs.Tab value="history">History</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="now">{seen && <Stack gap="md">{children}</Stack>}</Tabs.Panel>
      <Tabs.Panel value="history">{view === "history" && <Suspense fallback={<WaitingRows rows={4} height={72} />}><HistoryPanel target={target} version={version} what={what} /></Suspense>}</Tabs.Panel>
    </Tabs>
  );
}
