/**
 * How validators reach each other, and how they are cut apart: each in a network namespace of its own on a bridge where the
 * machine allows it, else on loopback through proxies of this process.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

/** The network between validators 0…n−1. */
export interface Links {
  readonly kind: 'namespaces' | 'proxies';
  /** What stands before the command of a validator. */
  prefix(i: number): readonly string[];
  /** Address that a validator listens on, host:port. */
  listen(i: number): string;
  /** Whom a validator dials: index and host:port. */
  peers(i: number): readonly (readonly [peer: number, address: string])[];
  /** Sets validators apart from the others; nothing passes between the two sides. */
  cut(side: readonly number[]): void;
  heal(): void;
  close(): void;
}

const PORT = 26656;

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

/** One namespace a validator, and one for two bridges; nothing of the machine's own network is touched. Needs root. */
function namespaces(n: number): Links {
  const names = Array.from({ length: n }, (_, i) => `samebit-${process.pid}-${i}`);
  const hub = `samebit-${process.pid}-hub`;
  const close = (): void => {
    for (const name of [hub, ...names]) {
      try {
        ip('netns', 'del', name);
      } catch {} // not there
    }
  };
  try {
    ip('netns', 'add', hub);
    for (const bridge of ['left', 'right']) {
      ip('-n', hub, 'link', 'add', bridge, 'type', 'bridge');
      ip('-n', hub, 'link', 'set', bridge, 'up');
    }
    for (const [i, name] of names.entries()) {
      ip('netns', 'add', name);
      ip('-n', hub, 'link', 'add', `v${i}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      ip('-n', hub, 'link', 'set', `v${i}`, 'master', 'left', 'up');
      ip('-n', name, 'addr', 'add', `10.0.0.${i + 1}/24`, 'dev', 'eth0');
      for (const device of ['eth0', 'lo']) ip('-n', name, 'link', 'set', device, 'up');
      ip('netns', 'exec', name, 'true');
    }
  } catch (e) {
    close();
    throw e;
  }
  const all = [...names.keys()];
  const listen = (i: number): string => `10.0.0.${i + 1}:${PORT}`;
  return {
    kind: 'namespaces',
    prefix: (i) => ['ip', 'netns', 'exec', names[i]!],
    listen,
    peers: (i) => all.filter((p) => p !== i).map((p) => [p, listen(p)] as const),
    cut: (side) => {
      for (const i of side) ip('-n', hub, 'link', 'set', `v${i}`, 'master', 'right');
    },
    heal: () => {
      for (const i of all) ip('-n', hub, 'link', 'set', `v${i}`, 'master', 'left');
    },
    close,
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)));
}

/** Ports of this machine that nobody listens on. */
async function freePorts(n: number): Promise<number[]> {
  const servers = Array.from({ length: n }, () => createServer());
  const ports = await Promise.all(servers.map(listening));
  for (const s of servers) s.close();
  return ports;
}

/** A pair of validators, the second of which dials the first through a proxy. */
interface Pair {
  readonly ends: readonly [number, number];
  readonly port: number;
  readonly server: Server;
  readonly open: Set<Socket>;
}

async function pairOf(ends: readonly [number, number], target: number, apart: () => boolean): Promise<Pair> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    if (apart()) {
      socket.destroy();
      return;
    }
    const other = createConnection(target, '127.0.0.1');
    for (const [from, to] of [[socket, other] as const, [other, socket] as const]) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  return { ends, port: await listening(server), server, open };
}

async function proxies(n: number): Promise<Links> {
  const ports = await freePorts(n);
  let side: readonly number[] = [];
  const crosses = ([a, b]: readonly [number, number]): boolean => side.includes(a) !== side.includes(b);
  const pairs: Pair[] = [];
  for (let b = 0; b < n; b++) {
    for (let a = 0; a < b; a++) pairs.push(await pairOf([a, b], ports[a]!, () => crosses([a, b])));
  }
  const drop = (): void => {
    for (const { ends, open } of pairs) if (crosses(ends)) for (const s of open) s.destroy();
  };
  return {
    kind: 'proxies',
    prefix: () => [],
    listen: (i) => `127.0.0.1:${ports[i]}`,
    peers: (i) => pairs.filter(({ ends }) => ends[1] === i).map((p) => [p.ends[0], `127.0.0.1:${p.port}`] as const),
    cut: (apart) => {
      side = apart;
      drop();
    },
    heal: () => {
      side = [];
    },
    close: () => {
      for (const { server, open } of pairs) {
        server.close();
        for (const s of open) s.destroy();
      }
    },
  };
}

/** Namespaces, or proxies where they are asked for or namespaces cannot be made here. */
export async function linksOf(n: number, kind: string | undefined): Promise<Links> {
  if (kind === 'proxies') return proxies(n);
  try {
    return namespaces(n);
  } catch (e) {
    if (kind === 'namespaces') throw e;
    console.log('no network namespaces here (they need root and ip): validators meet on loopback, through proxies');
    return proxies(n);
  }
}
