import { PageHead } from "../../ui/PageHead";

export default function TicketPage() {
  return <PageHead title="Ticket" />;
}
