import { Alert } from "@mantine/core";
import { IconPlugConnectedX, IconUserExclamation } from "@tabler/icons-react";
import { connection } from "./connection";
import { forgetRoleChange, roleChange, type Person } from "./session";
import { useStore } from "./store";

const named = (role: Person["role"]): string => role?.toLowerCase() ?? "no role";

/** Says that the connection is lost, as long as it is, and that the role is another one, until that is read. */
export function Notice() {
  const { lost } = useStore(connection);
  const changed = useStore(roleChange);
  return (
    <div role="status" aria-live="polite">
      {lost && (
        <Alert color="yellow" variant="light" mb="md" icon={<IconPlugConnectedX aria-hidden />} title="The server cannot be reached">
          What you see may be old. Nothing that you typed is lost. The page looks every two seconds and goes on by itself.
        </Alert>
      )}
      {changed && (
        <Alert color="yellow" variant="light" mb="md" icon={<IconUserExclamation aria-hidden />} title={`Your role was changed from ${named(changed.from)} to ${named(changed.to)}`}
          withCloseButton closeButtonLabel="I have read it" onClose={forgetRoleChange}>
          An admin did that. The menu shows where you can go now, and long texts that you had not sent are kept. If it is a mistake, ask an admin.
        </Alert>
      )}
    </div>
  );
}
