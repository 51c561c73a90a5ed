import { documentReply, emptyReply, type Answer, type DoorCall } from './call.ts';
import { refused } from './errors.ts';

/** Get Blob Service Properties: no logging, no metrics, no pages of other sites, and versions of everything. */
export async function getServiceProperties(call: DoorCall): Promise<Answer> {
  const shut = call.house.gate.known(call.caller.identity);
  if (shut !== null) return refused(shut);
  const off = { Version: '1.0', Enabled: false, RetentionPolicy: { Enabled: false } };
  return documentReply(call, 'StorageServiceProperties', {
    Logging: {
      Version: '1.0',
      Delete: false,
      Read: false,
      Write: false,
      RetentionPolicy: { Enabled: false },
    },
    HourMetrics: off,
    MinuteMetrics: off,
    Cors: {},
    DeleteRetentionPolicy: { Enabled: false },
    StaticWebsite: { Enabled: false },
  });
}

export async function getAccountInformation(call: DoorCall): Promise<Answer> {
  const shut = call.house.gate.known(call.caller.identity);
  if (shut !== null) return refused(shut);
  return emptyReply(call, 200, {
    'x-ms-sku-name': 'Standard_LRS',
    'x-ms-account-kind': 'StorageV2',
    'x-ms-is-hns-enabled': 'false',
  });
}
