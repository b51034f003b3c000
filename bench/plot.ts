/**
 * The plot of the README: for each case a row, for each subject its time in times of samebit's, on a logarithmic axis.
 * @module
 */
import type { Row } from './child.ts';

const COLOURS: Readonly<Record<string, string>> = {
  bound: '#999999',
  'onnxruntime-web u8s8': '#d55e00',
  'onnxruntime-web f32': '#e69f00',
  'tfjs-wasm f32': '#cc79a7',
  'onnxruntime-node u8s8': '#0072b2',
  'onnxruntime-node f32': '#56b4e9',
};
const ROW = 24;
const WIDTH = 960;
/** Ends of the axis; what is far below samebit's time is a bound of no use. */
const [LEAST, MOST] = [0.05, 20];

/** An SVG of the rows of one thread. */
export async function drawPlot(all: readonly Row[]): Promise<string> {
  const { init } = await import('echarts');
  const rows = all.filter((r) => r.threads === 1 && r.subject !== 'samebit');
  const cases = [...new Set(rows.map((r) => r.case))];
  const height = ROW * cases.length + 120;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  const series = Object.entries(COLOURS).map(([name, color], i) => ({
    name,
    type: 'scatter',
    symbol: name === 'bound' ? 'triangle' : name.endsWith('f32') ? 'emptyCircle' : 'circle',
    symbolSize: 9,
    itemStyle: { color },
    data: rows.filter((r) => r.subject === name && r.ratioToSamebit >= LEAST).map((r) => [r.ratioToSamebit, r.case]),
    ...(i === 0 && {
      markLine: {
        ...{ symbol: 'none', silent: true, animation: false, lineStyle: { color: '#333333', type: 'solid' } },
        label: { formatter: 'samebit', position: 'start' },
        data: [{ xAxis: 1 }],
      },
    }),
  }));
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: {
      text: 'Time of a run, samebit = 1, one thread (left is faster)',
      left: 'center',
      textStyle: { fontSize: 14 },
    },
    legend: { top: 30, itemWidth: 14, itemGap: 26 },
    grid: { left: 170, right: 30, top: 80, bottom: 40 },
    xAxis: {
      type: 'log',
      min: LEAST,
      max: Math.max(MOST, ...rows.map((r) => r.ratioToSamebit)),
      splitLine: { lineStyle: { color: '#dddddd' } },
    },
    yAxis: { type: 'category', data: cases, inverse: true, splitLine: { show: true, lineStyle: { color: '#eeeeee' } } },
    series,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
