import { Kbd, Modal, Table, Text } from "@mantine/core";
import { shortcuts } from "./keyboard";
import { useStore } from "./store";

/** Tells what the keyboard does on the page that is open. */
export default function KeyboardHelp({ close }: { readonly close: () => void }) {
  const all = useStore(shortcuts).flat();
  return (
    <Modal opened onClose={close} title="What the keyboard does">
      <Table>
        <Table.Tbody>
          {all.map(({ keys, does }) => (
            <Table.Tr key={`${keys} ${does}`}>
              <Table.Td w={90}>{keys.split(" ").map((key) => <Kbd key={key} mr={4}>{key}</Kbd>)}</Table.Td>
              <Table.Td>{does}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="xs" c="dimmed" mt="md">Keys do nothing while you type in a field; Escape leaves it.</Text>
    </Modal>
  );
}
