/**
 * Where the page shows a state, from the root of the server: `/s/acme/net/main.tfstate@dev`.
 * @param address its text form
 */
export function pagePathOf(address: string): string {
  const parts = address.split('/').map((part) => encodeURIComponent(part).replaceAll('%40', '@'));
  return `/s/${parts.join('/')}`;
}
