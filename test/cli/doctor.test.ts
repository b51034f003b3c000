/** `samebit doctor`, and the backend `auto` at the command line. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convertDigits, folder, MAIN, samebit } from './samebit.ts';

interface Report {
  readonly node: string;
  readonly simd: boolean;
  readonly sharedArrayBuffer: boolean;
  readonly backends: readonly {
    readonly backend: string;
    readonly runs: boolean;
    readonly notes: readonly string[];
    readonly reason?: string;
    readonly next?: string;
  }[];
}

/** The command on a machine without a Vulkan driver: those of this machine are hidden. */
function doctor(...args: readonly string[]): { code: number | null; stdout: string } {
  const env = { ...process.env, VK_DRIVER_FILES: '/none', VK_ICD_FILENAMES: '/none' };
  const { status, stdout } = spawnSync(process.execPath, [MAIN, 'doctor', ...args], { encoding: 'utf8', env });
  return { code: status, stdout };
}

describe('doctor', () => {
  it('says what runs, and why the rest does not with the next step', () => {
    const { code, stdout } = doctor('--json');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ node: process.versions.node, simd: true, sharedArrayBuffer: true });
    const of = (name: string) => report.backends.find((b) => b.backend === name)!;
    expect(of('reference')).toMatchObject({ runs: true });
    expect(of('wasm')).toMatchObject({ runs: true, notes: ['threads yes'] });
    expect(of('webgpu')).toMatchObject({ runs: false, reason: 'WebGPU finds no adapter on this machine' });
    expect(of('webgpu').next).toContain('Vulkan driver');
    if (!of('gpujs').runs) expect(of('gpujs').next).toMatch(/^npm install gpu\.js@\d/);
    expect(of('webgl')).toMatchObject({ runs: false, reason: 'this engine has no WebGL2' });
  });

  it('prints the same as text', () => {
    const { code, stdout } = doctor();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}wasm +runs$/m);
    expect(stdout).toMatch(/^ {2}webgpu +no: WebGPU finds no adapter/m);
    expect(stdout).toMatch(/^ {4}next: /m);
  });
});

describe('--backend auto', () => {
  const model = join(folder(), 'digits.sbm');

  it('bench and verify say what was chosen', () => {
    convertDigits(model);
    const { code, stdout } = samebit(['verify', model, '--backends', 'reference,auto', '--runs', '3', '--json']);
    expect(code).toBe(0);
    const { identical, backends } = JSON.parse(stdout) as {
      identical: boolean;
      backends: { name: string; ran: string }[];
    };
    expect(identical).toBe(true);
    expect(backends[1]!.name).toBe('auto');
    expect(backends[1]!.ran).toMatch(/^(wasm(:\d+)?|webgpu)$/);
    expect(samebit(['bench', model, '--backends', 'auto', '--runs', '2']).stdout).toMatch(
      /auto \((wasm(:\d+)?|webgpu)\)/,
    );
  });

  it('is one name among those of the backends', () => {
    expect(samebit(['bench', model, '--backends', 'auto:2']).code).toBe(2);
  });
});
