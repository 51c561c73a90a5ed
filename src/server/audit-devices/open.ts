import type { Log } from '../../ports/log.ts';
import type { AuditDevice } from './device.ts';
import { AuditDevices } from './devices.ts';
import { FileDevice } from './file-device.ts';
import { HttpDevice } from './http-device.ts';
import type { DeviceSetting } from './read-device.ts';
import { SyslogDevice } from './syslog-device.ts';

/** Opens the devices that are configured; null where there are none. */
export function openDevices(
  settings: readonly DeviceSetting[],
  { required, log }: { required: boolean; log: Log },
): AuditDevices | null {
  return settings.length === 0 ? null : new AuditDevices(settings.map(deviceOf), { required, log });
}

function deviceOf(setting: DeviceSetting): AuditDevice {
  switch (setting.kind) {
    case 'file':
      return new FileDevice(setting.path);
    case 'syslog':
      return new SyslogDevice(setting.host, setting.port, setting.transport);
    case 'http':
      return new HttpDevice(setting.url);
  }
}
