import { PageHead } from "../../ui/PageHead";

export default function LogsPage() {
  return <PageHead title="Logs" />;
}
