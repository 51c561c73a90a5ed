/** Applies on the addresses of a pattern are refused for a time; plans go on. */
export interface FreezeShape {
  readonly pattern: string;
  readonly reason: string;
  readonly until: string;
  readonly by: string;
  readonly since: string;
}
