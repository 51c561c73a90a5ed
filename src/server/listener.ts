import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Budget, sharesOf } from '../house/budget.ts';
import { connectionsWithin } from './descriptors.ts';
import { Shed, SHED_MAX } from './shed.ts';

/** Connections at a time: more than the waiters that one house is meant for. */
const CONNECTIONS_MAX = 20_000;
/** Go's clients keep idle connections for 90 s; ours must not be the side that closes just as they send. */
const KEEP_ALIVE_MS = 100_000;
const HEADERS_MS = 20_000;
/** How often those whose headers take longer are looked for. */
const HEADERS_CHECK_MS = 2_000;
const HEADER_BYTES_MAX = 32 * 1024;
/** An idle connection is probed after so long; libuv gives a vanished peer up ten seconds later (`uv__tcp_keepalive`). See `deliveries.ts` for who was answered. */
const PROBE_MS = 5_000;
/** While the port closes, how often connections that have become idle are closed. */
const SWEEP_MS = 50;

/** A certificate chain and its key, in PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** The authorities whose certificates clients may show, in PEM; absent where clients are not asked for one. */
  readonly ca?: string;
}

/** Whether clients are asked for a certificate, and whether they must have one. */
export type ClientCertificates = 'none' | 'optional' | 'required';

export interface Listener {
  /** `http://127.0.0.1:7117` */
  readonly url: string;
  /** Shows another certificate to those who connect from now on. */
  changeTls(material: TlsMaterial): void;
  /** Stops taking connections and waits for the open requests; after the deadline those that are left are cut. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Opens the port.
 * @throws when the address is taken or cannot be listened on
 */
export async function listen(
  handler: RequestListener,
  options: {
    host: string;
    port: number;
    tls: TlsMaterial | null;
    clientCertificates: ClientCertificates;
    /** Whether this is the address of a proxy, whose connections are those of many clients. */
    isProxy: (address: string) => boolean;
    /** How many files and connections the process may have open. */
    descriptors: number;
  },
): Promise<Listener> {
  const limits: ServerOptions = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_MS,
    connectionsCheckingInterval: HEADERS_CHECK_MS,
    // Bodies are watched as they come, and parked requests may take their time.
    requestTimeout: 0,
    maxHeaderSize: HEADER_BYTES_MAX,
    insecureHTTPParser: false,
    noDelay: true,
  };
  // Without the demand, a client may come without a certificate, or with a strange one, which then counts for nothing.
  const verification = {
    requestCert: options.clientCertificates !== 'none',
    rejectUnauthorized: options.clientCertificates === 'required',
  };
  const shed = new Shed(handler);
  const secure =
    options.tls === null
      ? null
      : createTlsServer({ ...limits, ...options.tls, ...verification }, shed.answer);
  const server: Server = secure ?? createServer(limits, shed.answer);
  // A client that asks first whether it may send its body is told by whoever reads that body.
  server.on('checkContinue', shed.answer);
  // Nothing else can be expected of HTTP, so that S3 passes it over. Node would refuse it, in no protocol's own form.
  server.on('checkExpectation', shed.answer);
  const connectionsMax = Math.min(CONNECTIONS_MAX, connectionsWithin(options.descriptors));
  server.maxConnections = connectionsMax + SHED_MAX;
  server.timeout = 0;
  const connections = new Budget(sharesOf(connectionsMax));
  let open = 0;
  server.on('connection', (socket: Socket) => {
    socket.setKeepAlive(true, PROBE_MS);
    const { remoteAddress: peer = '' } = socket;
    const place = options.isProxy(peer) ? null : connections.begin({ peer });
    const hasRoom = open < connectionsMax && (place === null || place.take(1));
    if (hasRoom) open += 1;
    socket.once('close', () => {
      place?.release();
      if (hasRoom) open -= 1;
    });
    if (!hasRoom) shed.take(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, backlog: 4_096 }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls === null ? 'http' : 'https'}://${host}:${port}`,
    changeTls: (material) => secure?.setSecureContext(material),
    close: async (deadlineMs) => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      // A connection that was busy until now would be kept for another request.
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), deadlineMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
    },
  };
}
