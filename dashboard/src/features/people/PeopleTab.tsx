import { Button, Group } from "@mantine/core";
import { IconUserPlus } from "@tabler/icons-react";
import { useState } from "react";
import { usePages } from "../../app/data";
import { useShortcuts } from "../../app/keyboard";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { InviteDialog } from "./InviteDialog";
import classes from "./People.module.css";
import { PersonRow } from "./PersonRow";
import { UsersQuery } from "./queries";

const PAGE = 50;

/** All accounts by e-mail address, and the way to invite one more. */
export function PeopleTab() {
  const list = usePages(UsersQuery, { first: PAGE }, (data) => data.users);
  const [inviting, setInviting] = useState(false);
  useShortcuts([{ keys: "n", does: "Invite somebody", run: () => setInviting(true) }]);
  return (
    <>
      <Group justify="flex-end" mb="sm"><Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>Invite</Button></Group>
      {list.problem && <Trouble problem={list.problem} title="The accounts cannot be shown" retry={list.reload} />}
      {list.loading ? <WaitingRows height={56} /> : (
        <ul aria-label="Accounts" className={classes.list}>
          {list.nodes.map((user) => <PersonRow key={user.id} user={user} reload={list.reload} />)}
        </ul>
      )}
      {list.hasMore && <Group justify="center" mt="sm"><Button variant="default" loading={list.loadingMore} onClick={list.more}>Show more</Button></Group>}
      {inviting && <InviteDialog close={() => setInviting(false)} invited={list.reload} />}
    </>
  );
}
