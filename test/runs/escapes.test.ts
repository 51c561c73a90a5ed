import { createServer, type AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOnPath } from '../support/find-program.ts';
import { findTerraform } from '../support/terraform.ts';
import { RunningHouse, slugOf } from './running-house.ts';

const terraform = await findTerraform();
const bwrap = await findOnPath('bwrap');

/** A configuration that has a shell do something during the apply. */
function shell(command: string): string {
  return `resource "terraform_data" "a" {
  provisioner "local-exec" { command = ${JSON.stringify(command).replaceAll('${', '$${')} }
}
`;
}

describe.skipIf(terraform === null || bwrap === null)('a run in the sandbox', () => {
  let house: RunningHouse;
  let secrets: string;

  beforeAll(async () => {
    house = await RunningHouse.open({ mode: 'sandbox' });
    secrets = await mkdtemp(join(tmpdir(), 'statehouse-secrets-'));
    await writeFile(join(secrets, 'key'), 'the-master-key');
    process.env['SERVERS_OWN_SECRET'] = 'not-for-runs';
  });
  afterAll(async () => {
    delete process.env['SERVERS_OWN_SECRET'];
    await house[Symbol.asyncDispose]();
    await rm(secrets, { recursive: true });
  });

  /** Applies a configuration whose shell does something. @returns the log of the apply */
  async function doing(command: string): Promise<{ readonly status: string; readonly log: string }> {
    const slug = await slugOf({ 'main.tf': shell(command) });
    const { id } = await house.run(await house.configuration(slug), { autoApply: true });
    const { status } = await house.until(id, 'applied', 'errored');
    const after = await house.run(await house.configuration(slug), { destroy: true, autoApply: true });
    await house.until(after.id, 'applied', 'planned_and_finished', 'errored');
    return { status, log: await house.log(id, 'apply') };
  }

  it('plans and applies as it does outside', async () => {
    expect(await doing('echo "it is $((40 + 2))"; id -u')).toMatchObject({
      status: 'applied',
      log: expect.stringMatching(/it is 42[\s\S]*65534/),
    });
  });

  it("sees nothing of the server's environment, its files, its processes and other runs", async () => {
    const { status, log } = await doing(
      [
        'env | sort',
        'cat /proc/*/environ | tr "\\0" "\\n"',
        `cat ${join(secrets, 'key')} || echo no-key`,
        `ls ${house.directory}/..`,
        `ls ${house.directory}`,
        'ls /root /home /var /etc/shadow || echo no-homes',
        'ls /proc | grep -c "^[0-9]"',
      ].join('; '),
    );
    expect(status).toBe('applied');
    expect(log).not.toMatch(/not-for-runs|the-master-key|STATEHOUSE_|root:/);
    expect(log).toMatch(/no-key/);
    expect(log).toMatch(/no-homes/);
  });

  it('writes nowhere but in its own directory, and is no user with rights', async () => {
    const { log } = await doing(
      'for d in / /usr /usr/bin /etc /lib /run /dev /dev/shm /proc; do touch $d/x 2>/dev/null && echo "wrote $d"; done; mount -t tmpfs none /usr 2>&1; chown 0 . 2>&1 || echo no-chown',
    );
    expect(log).not.toMatch(/local-exec\): wrote/);
    expect(log).toMatch(/no-chown/);
  });
});

/** Asks for a page of this machine's network, and of the cloud's metadata. */
const LOOKS = [
  'for at in 169.254.169.254/80 127.0.0.1/PORT; do',
  '  timeout 5 bash -c "exec 3<>/dev/tcp/$at" 2>/dev/null && echo "reached $at" || echo "no way to $at";',
  'done; cat /etc/hosts; ls /sys/class/net 2>/dev/null || cat /proc/net/dev',
].join(' ');

describe.skipIf(terraform === null || bwrap === null)('a run without a network', () => {
  it('reaches its state, and neither the metadata of the cloud nor what else listens here', async () => {
    const other = createServer((socket) => socket.end('private'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await using house = await RunningHouse.open({ mode: 'sandbox', network: 'state' });
    try {
      const slug = await slugOf({ 'main.tf': shell(LOOKS.replace('PORT', String(port))) });
      const { id } = await house.run(await house.configuration(slug), { autoApply: true });
      const { status } = await house.until(id, 'applied', 'errored');
      const log = await house.log(id, 'apply');
      expect(status, log).toBe('applied');
      expect(log).toMatch(/no way to 169\.254\.169\.254/);
      expect(log).toContain(`no way to 127.0.0.1/${port}`);
      expect(log).not.toMatch(/local-exec\): +(?:reached|eth|en)/);
      expect(await house.state()).toMatchObject({ resources: [expect.anything()] });
    } finally {
      other.close();
    }
  });
});
