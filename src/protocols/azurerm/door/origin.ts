import type { DoorRequest } from '../../door.ts';

/** Where clients reach this server, as they name it themselves: Azure's want https everywhere. */
export function originOf({ header }: Pick<DoorRequest, 'header'>): string {
  return `https://${header('host') ?? 'localhost'}`;
}
