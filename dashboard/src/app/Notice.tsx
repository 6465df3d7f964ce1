import { Alert } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { connection } from "./connection";
import { useStore } from "./store";

/** Says that the connection is lost, as long as it is. */
export function Notice() {
  const { lost } = useStore(connection);
  return (
    <div role="status" aria-live="polite">
      {lost && (
        <Alert color="yellow" variant="light" mb="md" icon={<IconPlugConnectedX aria-hidden />} title="The server cannot be reached">
          What you see may be old. Nothing that you typed is lost. The page looks every two seconds and goes on by itself.
        </Alert>
      )}
    </div>
  );
}
