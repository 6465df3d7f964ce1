import { PageHead } from "../../ui/PageHead";

export default function ChangelogPage() {
  return <PageHead title="Changelog" />;
}
