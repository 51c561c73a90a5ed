import type { DoorEntry } from '../../door.ts';

export const AZURERM: DoorEntry = {
  name: 'azurerm',
  listed: { at: 'ACCOUNT.blob.HOST, or /azure/ACCOUNT', what: 'backend "azurerm"' },
  load: () => import('./door.ts'),
  open: async ({ house, now, domain, s3 }) =>
    new (await import('./door.ts')).AzurermDoor(house, { now, domain, unsignedBodies: s3.unsignedBodies }),
};
