import { Anchor } from "@mantine/core";
import { Link } from "react-router";
import { urls } from "../../app/urls";
import { Empty } from "../../ui/Empty";
import { PageHead } from "../../ui/PageHead";

/** One and the same answer for a wrong address and for a ticket that is not for whoever looks. */
export function NotThere() {
  return (
    <>
      <PageHead title="Ticket" />
      <Empty title="There is no such ticket">
        The address is wrong, or the ticket is not (any more) for you to see. <Anchor component={Link} to={urls.tickets} size="sm" underline="always">Go to the tickets</Anchor>
      </Empty>
    </>
  );
}
