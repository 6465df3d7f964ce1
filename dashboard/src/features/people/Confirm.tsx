import { Button, Group, Modal, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** Asks before something that is hard to undo, and says what follows. The way back has the focus. */
export function Confirm({ title, action, close, confirm, children, busy = false }: {
  readonly title: string; readonly action: string; readonly close: () => void; readonly confirm: () => void; readonly children: ReactNode; readonly busy?: boolean;
}) {
  return (
    <Modal opened onClose={close} title={title}>
      <Text size="sm" mb="md">{children}</Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={close} data-autofocus>Cancel</Button>
        <Button color="red.9" onClick={confirm} loading={busy}>{action}</Button>
      </Group>
    </Modal>
  );
}
