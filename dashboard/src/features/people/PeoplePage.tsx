import { PageHead } from "../../ui/PageHead";

export default function PeoplePage() {
  return <PageHead title="People" />;
}
