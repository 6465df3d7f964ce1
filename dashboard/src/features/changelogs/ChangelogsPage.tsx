import { PageHead } from "../../ui/PageHead";

export default function ChangelogsPage() {
  return <PageHead title="Changelogs" />;
}
