/**
 * The plot of docs/gas.md: predicted gas against measured time, both logarithmic.
 * @module
 */

/** One case. */
export interface Point {
  readonly kind: 'shape' | 'random' | 'model';
  readonly gas: number;
  /** Nanoseconds of a run. */
  readonly ns: number;
}

const KINDS = { shape: 'one op, a shape it is slow at', random: 'random graphs', model: 'golden models' } as const;
const COLOURS = { shape: '#0072b2', random: '#e69f00', model: '#d55e00' } as const;
const [WIDTH, HEIGHT] = [900, 640];

/** An SVG of the cases, with the lines of `median` picoseconds a gas and of four times that. */
export async function drawGas(points: readonly Point[], median: number): Promise<string> {
  const { init } = await import('echarts');
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  const ends = [Math.min(...points.map((p) => p.gas)) * 0.8, Math.max(...points.map((p) => p.gas)) * 1.2];
  const line = (name: string, times: number, type: 'solid' | 'dashed'): object => ({
    name,
    type: 'line',
    symbol: 'none',
    lineStyle: { color: '#333333', width: 1, type },
    itemStyle: { color: '#333333' },
    data: ends.map((gas) => [gas, (gas * median * times) / 1e6]),
  });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: 'Gas of schedule 1 against time on wasm, one thread', left: 'center', textStyle: { fontSize: 14 } },
    legend: { top: 28 },
    grid: { left: 70, right: 30, top: 70, bottom: 50 },
    xAxis: {
      type: 'log',
      name: 'gas',
      nameLocation: 'middle',
      nameGap: 28,
      min: ends[0],
      max: ends[1],
      axisLabel: { formatter: (v: number) => v.toExponential(0) },
    },
    yAxis: { type: 'log', name: 'µs' },
    series: [
      ...(['shape', 'random', 'model'] as const).map((kind) => ({
        name: KINDS[kind],
        type: 'scatter',
        symbolSize: 4,
        itemStyle: { color: COLOURS[kind] },
        data: points.filter((p) => p.kind === kind).map((p) => [p.gas, p.ns / 1000]),
      })),
      line('median', 1, 'solid'),
      line('4 × median', 4, 'dashed'),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
