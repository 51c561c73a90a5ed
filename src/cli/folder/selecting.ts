/** Whether an instance is what was asked for: itself, a resource of which it is an instance, or a module around it. */
export function matchesAddress(address: string, asked: string): boolean {
  if (!address.startsWith(asked)) return false;
  const next = address[asked.length];
  return next === undefined || next === '.' || next === '[';
}
