export function Order({ id }: { id: string }) {
  return <main id="main">{id}</main>;
}
