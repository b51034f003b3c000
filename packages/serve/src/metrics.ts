/**
 * Metrics of Prometheus.
 * @module
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What a gauge reads when it is asked. */
export interface Gauges {
  readonly waiting: () => number;
  readonly running: () => number;
  readonly workers: () => number;
  readonly restarts: () => number;
  readonly models: () => number;
  readonly refused: () => number;
  readonly sessions: () => number;
}

const HELP: Readonly<Record<keyof Gauges, readonly [name: string, help: string]>> = {
  waiting: ['samebit_queue_waiting', 'Requests that wait for a worker'],
  running: ['samebit_queue_running', 'Requests that a worker has'],
  workers: ['samebit_workers', 'Workers that are up'],
  restarts: ['samebit_worker_restarts_total', 'Workers that were started anew'],
  models: ['samebit_models', 'Models that are served'],
  refused: ['samebit_models_refused', 'Files of the directory that are refused'],
  sessions: ['samebit_sessions', 'Open sessions'],
};

/** Metrics of one server. */
export class Metrics {
  readonly #registry: Registry = new Registry();
  readonly #seconds: Histogram<'route' | 'status'>;
  readonly #run: Histogram<'model'>;
  readonly #gas: Counter<'model'>;
  readonly #batch: Histogram;

  constructor(gauges: Gauges) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#seconds = new Histogram({
      name: 'samebit_request_seconds',
      help: 'Time of a request by route and status',
      labelNames: ['route', 'status'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      registers,
    });
    this.#run = new Histogram({
      name: 'samebit_run_seconds',
      help: 'Time of a run in its worker',
      labelNames: ['model'],
      buckets: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    });
    this.#gas = new Counter({ name: 'samebit_gas_total', help: 'Gas of all runs', labelNames: ['model'], registers });
    this.#batch = new Histogram({
      name: 'samebit_batch_size',
      help: 'Requests that a worker got at once',
      buckets: [1, 2, 4, 8, 16, 32],
      registers,
    });
    for (const [key, [name, help]] of Object.entries(HELP) as [keyof Gauges, readonly [string, string]][]) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(gauges[key]());
        },
      });
    }
  }

  /** Content type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in the text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A request that was answered; `route` is the pattern, never the address. */
  request(route: string, status: number, seconds: number): void {
    this.#seconds.observe({ route, status: String(status) }, seconds);
  }

  /** A run of a model that is served. */
  run(model: string, seconds: number, gas: number): void {
    this.#run.observe({ model }, seconds);
    this.#gas.inc({ model }, gas);
  }

  /** A batch that was sent to a worker. */
  batch(size: number): void {
    this.#batch.observe(size);
  }

  /** Forgets what is known of a model that is gone. */
  forget(model: string): void {
    this.#run.remove({ model });
    this.#gas.remove({ model });
  }
}
