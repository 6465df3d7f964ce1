import { Button, Code, Group } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useState } from "react";
import { usePages } from "../../app/data";
import { useShortcuts } from "../../app/keyboard";
import { Empty } from "../../ui/Empty";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import classes from "./People.module.css";
import { TokensQuery } from "./queries";
import { TokenDialog } from "./TokenDialog";
import { TokenRow } from "./TokenRow";

const PAGE = 50;

/** All API tokens, newest first, and the way to make one. */
export function TokensTab() {
  const list = usePages(TokensQuery, { first: PAGE }, (data) => data.apiTokens);
  const [making, setMaking] = useState(false);
  useShortcuts([{ keys: "n", does: "New API token", run: () => setMaking(true) }]);
  return (
    <>
      <Group justify="flex-end" mb="sm"><Button leftSection={<IconKey size={16} aria-hidden />} onClick={() => setMaking(true)}>New token</Button></Group>
      {list.problem && <Trouble problem={list.problem} title="The tokens cannot be shown" retry={list.reload} />}
      {list.loading ? <WaitingRows height={56} /> : list.nodes.length > 0 ? (
        <ul aria-label="API tokens" className={classes.list}>
          {list.nodes.map((token) => <TokenRow key={token.id} token={token} reload={list.reload} />)}
        </ul>
      ) : !list.problem && (
        <Empty title="No API token yet">A machine that sends logs, commits or tickets signs in with a token, for example a collector with the scope <Code>logs:write</Code>. Make one for each machine, so that each can be revoked by itself.</Empty>
      )}
      {list.hasMore && <Group justify="center" mt="sm"><Button variant="default" loading={list.loadingMore} onClick={list.more}>Show more</Button></Group>}
      {making && <TokenDialog close={() => setMaking(false)} made={list.reload} />}
    </>
  );
}
