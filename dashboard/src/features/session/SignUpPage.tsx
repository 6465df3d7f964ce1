import { PageHead } from "../../ui/PageHead";

export default function SignUpPage() {
  return <PageHead title="Sign up" />;
}
