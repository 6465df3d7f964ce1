import { Tabs } from "@mantine/core";
import { useShortcuts } from "../../app/keyboard";
import { useFilters } from "../../app/search";
import { PageHead } from "../../ui/PageHead";
import { PeopleTab } from "./PeopleTab";
import { TokensTab } from "./TokensTab";

/** Accounts of people, and credentials of machines. For admins. */
export default function PeoplePage() {
  const { filters, setFilter } = useFilters(["tab"]);
  const tab = filters.tab === "tokens" ? "tokens" : "people";
  const show = (name: string | null): void => setFilter("tab", name === "tokens" ? "tokens" : null);
  useShortcuts([{ keys: "t", does: "Switch between people and API tokens", run: () => show(tab === "tokens" ? "people" : "tokens") }]);
  return (
    <>
      <PageHead title="People" about="Who may work here and what each may see, and the tokens of machines that send." />
      <Tabs value={tab} onChange={show} keepMounted={false}>
        <Tabs.List aria-label="Accounts">
          <Tabs.Tab value="people">People</Tabs.Tab>
          <Tabs.Tab value="tokens">API tokens</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="people" pt="md"><PeopleTab /></Tabs.Panel>
        <Tabs.Panel value="tokens" pt="md"><TokensTab /></Tabs.Panel>
      </Tabs>
    </>
  );
}
