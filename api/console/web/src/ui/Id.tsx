/** The beginning of an id: enough to tell two apart, the whole for who points at it or copies it. */
export function Id({ id }: { id: string }) {
  const shown = /^[0-9a-f]{32}$/.test(id) ? id.slice(0, 8) : id;
  function copy(event: ClipboardEvent): void {
    if (getSelection()?.toString().trim() !== shown) return; // a whole row, as it is read
    event.clipboardData?.setData("text/plain", id);
    event.preventDefault();
  }
  return (
    <code title={id} class="id" onCopy={copy}>
      {shown}
    </code>
  );
}
