import type { Problem } from '../../core/read-value.ts';
import type { SyslogTransport } from './syslog-device.ts';

/** An audit device as it was configured. */
export type DeviceSetting =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'syslog';
      readonly host: string;
      readonly port: number;
      readonly transport: SyslogTransport;
    }
  | { readonly kind: 'http'; readonly url: URL };

const SYSLOG = /^syslog(?:\+(tcp|tls))?:(?:\[([^\]]+)\]|([^:,[\]]+)):(\d{1,5})$/;
const EXPECTED =
  'expected file:PATH, syslog:HOST:PORT (UDP), syslog+tcp:HOST:PORT, syslog+tls:HOST:PORT or https://…, separated by commas';

/** Reads the devices of `--audit-log`. */
export function readDevices(text: string | null): readonly DeviceSetting[] | Problem {
  const devices: DeviceSetting[] = [];
  for (const [at, one] of (text ?? '').split(',').entries()) {
    if (one === '' && text === null) continue;
    const device = readDevice(one);
    // A URL may have a password in it, so what was given is not told.
    if (device === null) return { problem: `invalid audit device number ${at + 1}: ${EXPECTED}` };
    devices.push(device);
  }
  return devices;
}

function readDevice(text: string): DeviceSetting | null {
  if (/^file:./.test(text)) return { kind: 'file', path: text.slice('file:'.length) };
  const syslog = SYSLOG.exec(text);
  if (syslog !== null) {
    const [, transport = 'udp', bracketed, plain = '', port] = syslog;
    if (Number(port) > 65_535) return null;
    return {
      kind: 'syslog',
      host: bracketed ?? plain,
      port: Number(port),
      transport: transport as SyslogTransport,
    };
  }
  return /^https?:\/\//.test(text) && URL.canParse(text) ? { kind: 'http', url: new URL(text) } : null;
}
