import { PageHead } from "../../ui/PageHead";

export default function TicketsPage() {
  return <PageHead title="Tickets" />;
}
