import type { Milliseconds } from '../../../src/core/instant.ts';
import type { LabNode } from '../house/node.ts';
import type { Dice } from '../time/dice.ts';
import type { Trace } from '../time/trace.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import { ServerSide, type WireReply, type WireRequest } from './server-side.ts';

/** What a network does to requests: each the part of all of them that it happens to. */
export interface Weather {
  /** One way, usually. */
  readonly delayMs: Milliseconds;
  /** It does not arrive, and its client is told so. */
  readonly refused: number;
  /** Its answer was handed to the connection and never arrives: the client sees the connection break. */
  readonly answerLost: number;
  /** The connection breaks some time before the answer, and both sides see it. */
  readonly reset: number;
  /** It breaks for the client alone: the server learns of it when it probes. */
  readonly halfOpen: number;
  /** A proxy has a copy of it, which arrives as well: at once or much later, over a connection that is dead or dies. */
  readonly copied: number;
}

export const CALM: Weather = { delayMs: 1, refused: 0, answerLost: 0, reset: 0, halfOpen: 0, copied: 0 };

/** When the server finds that a silent client is gone (`server/listener.ts`). */
const PROBE_MS: Milliseconds = 15_000;
/** So long it sends again what is not acknowledged, and probes nothing meanwhile (tcp(7): `tcp_retries2`). */
const RESEND_MS: Milliseconds = 900_000;
/** How long a connection lives that is going to break. */
const LIFE_MS: Milliseconds = 4_000;
/** How late a copy may come that somebody had. */
const COPY_MS = { least: 1, most: 50_000 } as const;

/** A request that is under way, as its client holds it. */
export interface Call {
  /** Its client closes the connection. */
  hangUp(): void;
  /** Its client is gone without a word: the server finds out by itself. */
  vanish(): void;
}

type Settle = (how: 'acknowledged' | 'reset') => void;

/** Told of what no client can tell. */
export interface NetworkWatch {
  /** An answer of success to a lock request was handed to its connection. */
  readonly handed: (lockId: string) => void;
  /** A node died over a lock request, or a connection broke between its decision and its answer. */
  readonly crashed: (lockId: string) => void;
  readonly copied: (request: WireRequest) => void;
  /** A node is about to take a request for the lock. */
  readonly asks: (lockId: string) => void;
}

/** A grant that was handed to a connection, and of which its client's system has told nothing yet. */
interface Unacknowledged {
  readonly lockId: string;
  readonly side: ServerSide;
  readonly node: LabNode;
  /** How often its node had died by then: who has died watches nothing. */
  readonly deaths: number;
}

/** The network between clients and the nodes of a house, with a balancer before them. */
export class Network {
  weather: Weather = CALM;
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #trace: Trace;
  readonly #nodes: readonly LabNode[];
  readonly #watch: NetworkWatch;
  readonly #unacknowledged = new Set<Unacknowledged>();

  constructor(parts: {
    time: VirtualTime;
    dice: Dice;
    trace: Trace;
    nodes: readonly LabNode[];
    watch: NetworkWatch;
  }) {
    this.#time = parts.time;
    this.#dice = parts.dice;
    this.#trace = parts.trace;
    this.#nodes = parts.nodes;
    this.#watch = parts.watch;
  }

  /** Whether a living server still waits for word that its grant has arrived. */
  isInDoubt(lockId: string): boolean {
    return [...this.#unacknowledged].some(
      (grant) =>
        grant.lockId === lockId &&
        grant.deaths === grant.node.deaths &&
        !grant.side.socket.isAcknowledged &&
        !grant.side.socket.destroyed,
    );
  }

  /** Sends a request. @param heard told once of the answer, or by null that the connection broke */
  send(request: WireRequest, heard: (reply: WireReply | null) => void): Call {
    const { weather } = this;
    let isOpen = true;
    const hear = (reply: WireReply | null): void => {
      if (!isOpen) return;
      isOpen = false;
      heard(reply);
    };
    const later = (act: () => void): void => void this.#time.after(this.#delay(), act);
    if (this.#dice.hits(weather.copied)) this.#copy(request);
    if (this.#dice.hits(weather.refused)) {
      later(() => hear(null));
      return { hangUp: () => (isOpen = false), vanish: () => (isOpen = false) };
    }
    const isLost = this.#dice.hits(weather.answerLost);
    const connection = this.#connect(request, {
      answered: (reply, settle) =>
        later(() => {
          // A client that is there acknowledges what it hears; one that has lost its connection answers that it has none.
          if (isOpen) later(() => settle(isLost ? 'reset' : 'acknowledged'));
          hear(isLost ? null : reply);
        }),
      broken: () => later(() => hear(null)),
    });
    if (this.#dice.hits(weather.reset + weather.halfOpen)) {
      const isSeen = this.#dice.hits(weather.reset / (weather.reset + weather.halfOpen));
      this.#time.after(this.#dice.exponential(LIFE_MS), () => {
        hear(null);
        if (isSeen) later(connection.hangUp);
        else this.#time.after(PROBE_MS, connection.probe);
      });
    }
    return {
      hangUp: () => {
        isOpen = false;
        later(connection.hangUp);
      },
      vanish: () => {
        isOpen = false;
        this.#time.after(PROBE_MS, connection.probe);
      },
    };
  }

  /** A copy: its answer is for nobody, and its connection is dead when it arrives or dies soon. */
  #copy(request: WireRequest): void {
    const delay = this.#dice.logarithmic(COPY_MS.least, COPY_MS.most);
    const deaths = [0, 0, this.#dice.exponential(20), PROBE_MS];
    this.#time.after(delay, () => {
      this.#trace.note('network', `delivers a copy of ${request.method} ${asksFor(request) ?? ''}`);
      this.#watch.copied(request);
      const { hangUp } = this.#connect(request, {
        answered: () => undefined,
        broken: () => undefined,
        // Most are dead when they are read, and the server learns of it while it decides.
        taken: () => this.#time.after(this.#dice.pick(deaths), hangUp),
      });
    });
  }

  #connect(
    request: WireRequest,
    wire: {
      readonly answered: (reply: WireReply, settle: Settle) => void;
      readonly broken: () => void;
      readonly taken?: () => void;
    },
  ): { readonly hangUp: () => void; readonly probe: () => void } {
    let node: LabNode | null = null;
    let hasHungUp = false;
    let isAnswered = false;
    const lockId = asksFor(request);
    const side = new ServerSide(request, {
      answered: (reply) => {
        isAnswered = true;
        node?.done(side);
        this.#trace.note(node?.name ?? '', `answers ${request.method} ${lockId ?? ''} ${reply.status}`);
        const at = node;
        if (lockId !== null && reply.status < 300) {
          this.#watch.handed(lockId);
          if (at !== null) this.#unacknowledged.add({ lockId, side, node: at, deaths: at.deaths });
        }
        wire.answered(reply, (how) => at?.settle(side, how));
      },
      broken: (why) => {
        if (why === 'crashed' && lockId !== null) this.#watch.crashed(lockId);
        wire.broken();
      },
    });
    this.#time.after(this.#delay(), () => {
      node = this.#balance();
      if (lockId !== null && node !== null) this.#watch.asks(lockId);
      if (hasHungUp) side.hangUp();
      if (node === null) wire.broken();
      else node.take(side, wire.broken);
      wire.taken?.();
    });
    const hangUp = (): void => {
      hasHungUp = true;
      node?.hangUp(side);
    };
    const probe = (): void => {
      if (isAnswered && !side.socket.isAcknowledged) this.#time.after(RESEND_MS, hangUp);
      else hangUp();
    };
    return { hangUp, probe };
  }

  /** The node that a new connection goes to; null where it is sent to one that does not listen. */
  #balance(): LabNode | null {
    const node = this.#dice.pick(this.#nodes);
    if (node.isListening) return node;
    return this.#nodes.find(({ isListening }) => isListening) ?? null;
  }

  #delay(): Milliseconds {
    return this.#dice.exponential(this.weather.delayMs);
  }
}

/** The lock ID that a request asks for the lock with; null for any other request. */
function asksFor({ input }: WireRequest): string | null {
  return input?.type === 'lock' ? input.lockId : null;
}
