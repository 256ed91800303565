/** The beginning of an id: enough to tell two apart, the whole for who points at it or copies it. */
export function Id({ id }: { id: string }) {
  return (
    <code title={id} class="id">
      {/^[0-9a-f]{32}$/.test(id) ? id.slice(0, 8) : id}
    </code>
  );
}
