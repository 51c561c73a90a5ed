// Fills a server with made-up people, states and locks, by the http door and the API.
import { randomUUID } from 'node:crypto';

const TYPES = [
  ['aws_subnet', 9],
  ['aws_route_table_association', 9],
  ['aws_security_group_rule', 14],
  ['aws_security_group', 5],
  ['aws_route53_record', 7],
  ['aws_vpc', 1],
  ['aws_nat_gateway', 3],
  ['aws_eip', 3],
  ['aws_internet_gateway', 1],
];
/** Which states read which. */
const READS = [
  ['acme/app/web', 'acme/net/vpc.tfstate?workspace=prod'],
  ['acme/app/api', 'acme/net/vpc.tfstate?workspace=prod'],
  ['acme/app/web', 'acme/app/api.tfstate'],
  ['acme/app/queue', 'acme/net/vpc.tfstate?workspace=prod'],
  ['acme/data/lake', 'acme/app/queue.tfstate'],
  ['acme/net/peering', 'acme/net/vpc.tfstate?workspace=prod'],
  ['acme/net/vpc', 'acme/net/dns.tfstate'],
];
/** How long locks were held before. */
const HELD_SECONDS = [0.6, 1, 0.3, 1.3, 0.7, 2, 1, 5, 6, 5.5, 6.5];
const PEOPLE = ['ci-prod', 'ci-dev', 'alice', 'bob', 'carol', 'dora'];

/**
 * @param url of a server without states
 * @returns a function that lets go of what waits for locks
 */
export async function fill(url, admin) {
  const left = new AbortController();
  const send = (as, method, path, body) =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${as.id}.${as.secret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      signal: left.signal,
    });
  const must = async (...asked) => {
    const answer = await send(...asked);
    if (!answer.ok) throw new Error(`${asked[1]} ${asked[2]}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const people = {};
  for (const name of PEOPLE) {
    const grants = [
      { role: name === 'dora' ? 'reader' : 'writer', pattern: name === 'ci-dev' ? 'acme/*@dev' : 'acme/*' },
    ];
    const expiresAt = name.startsWith('ci') ? new Date(Date.now() + 9 * 86_400_000).toISOString() : null;
    people[name] = await (
      await must(admin, 'POST', '/api/v1/credentials', { name, grants, expiresAt })
    ).json();
  }
  const lockInfo = (id, who, operation) => ({
    ID: id,
    Operation: `OperationType${operation}`,
    Info: '',
    Who: `${who}@${who.startsWith('ci') ? 'runner-7' : 'laptop'}`,
    Version: '1.11.4',
    Created: new Date().toISOString(),
    Path: '',
  });
  const hold = async (path, who, operation = 'Apply') => {
    const id = randomUUID();
    await must(people[who], 'LOCK', `/http/${path}`, lockInfo(id, who, operation));
    return async () => {
      await must(people[who], 'UNLOCK', `/http/${path}`, lockInfo(id, who, operation));
    };
  };
  const write = async (path, who, serial, scale) => {
    const id = randomUUID();
    const info = lockInfo(id, who, 'Apply');
    await must(people[who], 'LOCK', `/http/${path}`, info);
    const separator = path.includes('?') ? '&' : '?';
    await must(people[who], 'POST', `/http/${path}${separator}ID=${id}`, stateOf(path, serial, scale));
    await must(people[who], 'UNLOCK', `/http/${path}`, info);
  };

  for (let serial = 1; serial <= 12; serial += 1) {
    await write(
      'acme/net/vpc.tfstate?workspace=prod',
      ['ci-prod', 'alice', 'bob'][serial % 3],
      serial,
      0.4 + serial / 20,
    );
  }
  const others = [
    'net/dns',
    'net/peering',
    'app/web',
    'app/api',
    'app/queue',
    'data/warehouse',
    'data/lake',
    'iam/roles',
  ];
  for (const [index, key] of others.entries()) {
    for (let serial = 1; serial <= 1 + (index % 3); serial += 1)
      await write(`acme/${key}.tfstate`, PEOPLE[index % 5 === 1 ? 0 : index % 5], serial, 0.3 + index / 8);
  }
  await send(people.dora, 'DELETE', '/http/acme/iam/roles.tfstate');
  await must(admin, 'PATCH', '/api/v1/projects/acme', {
    keepVersions: 200,
    retainAtLeast: 30,
    quotaStates: 500,
    announceFirst: true,
  });
  await must(admin, 'POST', '/api/v1/freezes', {
    pattern: 'acme/data/*@prod',
    reason: 'Migration of the warehouse, ask dora',
    until: new Date(Date.now() + 5 * 3_600_000).toISOString(),
  });
  // Holds of some seconds, so that a usual one is known: half a minute, in which nothing is to be seen.
  process.stderr.write('holding locks, so that the server learns how long that usually takes …\n');
  const paths = ['acme/net/vpc.tfstate?workspace=prod', 'acme/app/web.tfstate', 'acme/data/lake.tfstate'];
  for (const [round, seconds] of HELD_SECONDS.entries()) {
    await Promise.all(
      paths.map(async (path, index) => {
        const release = await hold(path, 'alice');
        await new Promise((resolve) => {
          setTimeout(resolve, seconds * (1_000 + index * 300 * (round % 3)));
        });
        await release();
      }),
    );
  }
  await hold('acme/net/vpc.tfstate?workspace=prod', 'ci-prod');
  for (const who of ['alice', 'bob', 'carol']) {
    const info = lockInfo(randomUUID(), who, 'Apply');
    void send(people[who], 'LOCK', '/http/acme/net/vpc.tfstate?workspace=prod&wait=30m', info).catch(
      () => undefined,
    );
    await new Promise((resolve) => {
      setTimeout(resolve, 150);
    });
  }
  await hold('acme/app/web.tfstate', 'alice', 'Plan');
  await hold('acme/app/web.tfstate', 'carol', 'Plan');
  await hold('acme/data/lake.tfstate', 'bob', 'Apply');
  return () => left.abort();
}

/** A state as Terraform writes one. @param scale how many of each type there are */
function stateOf(path, serial, scale) {
  const resources = TYPES.map(([type, most], index) => ({
    ...(index % 3 === 1 ? { module: 'module.network' } : {}),
    mode: 'managed',
    type,
    name: ['this', 'private', 'public'][index % 3],
    provider: 'provider["registry.terraform.io/hashicorp/aws"]',
    instances: Array.from({ length: Math.max(1, Math.round(most * scale)) }, (_, at) => ({
      index_key: at,
      schema_version: 1,
      attributes: {
        id: `${type.slice(4, 8)}-0${(at * 7919 + index * 104_729).toString(16)}`,
        arn: `arn:aws:ec2:eu-central-1:123456789012:${type}/${at}`,
        tags: { team: 'network', revision: String(serial - (at % 4)) },
        password: `secret-${serial}`,
      },
      sensitive_attributes: [],
    })),
  }));
  const reads = READS.filter(([reader]) => path.startsWith(reader)).map(([, read]) => read);
  if (reads.length > 0) resources.push(...reads.map(remoteState));
  return JSON.stringify({
    version: 4,
    terraform_version: '1.11.4',
    serial,
    lineage: `5b3e1f5c-${path.length}00-4c1e-9d1a-0242ac120002`,
    outputs: { vpc_id: { value: 'vpc-0a1b2c3d', type: 'string' } },
    resources,
    check_results: null,
  });
}

function remoteState(path, index) {
  const config = {
    value: { address: `http://127.0.0.1/http/${path}` },
    type: ['object', { address: 'string' }],
  };
  return {
    mode: 'data',
    type: 'terraform_remote_state',
    name: `other_${index}`,
    provider: 'provider["terraform.io/builtin/terraform"]',
    instances: [
      {
        schema_version: 0,
        attributes: { backend: 'http', config, workspace: null },
        sensitive_attributes: [],
      },
    ],
  };
}
