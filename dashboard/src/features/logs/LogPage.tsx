import { PageHead } from "../../ui/PageHead";

export default function LogPage() {
  return <PageHead title="Log" />;
}
