/** What the command line reads and writes: files only, links followed, pipes read up to a limit. */
import { spawn, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, readBytes, writeBytes } from '../../src/cli/files.ts';
import { bytes, example, folder, samebit } from './samebit.ts';

const dir = folder();
const at = (name: string): string => join(dir, name);
const model = example('german-credit/model.onnx');
let server: Server;

function convert(output: string, source: string = model): ReturnType<typeof samebit> {
  return samebit(['convert', source, '-o', output, '--calib', example('german-credit/calib.npy')], dir);
}

function refused(outcome: ReturnType<typeof samebit>, code: string): void {
  expect(outcome).toMatchObject({ code: 2, stdout: '' });
  expect(outcome.stderr).toContain(`UsageError ${code}`);
  expect(outcome.stderr).toMatch(/\n {2}next: .+\n$/);
}

beforeAll(async () => {
  mkdirSync(at('folder'));
  spawnSync('mkfifo', [at('pipe')]);
  server = createServer();
  await new Promise<void>((done) => server.listen(at('socket'), done));
  symlinkSync('pipe', at('to-pipe'));
  symlinkSync('round', at('round'));
  symlinkSync('nowhere/x', at('astray'));
  expect(convert('model.sbm').code).toBe(0);
});

afterAll(() => {
  server.close();
});

describe('convert -o', () => {
  it.each([
    ['folder', 'NotAFile'],
    ['folder/', 'NotAFile'],
    ['new/', 'NotAFile'],
    ['pipe', 'NotAFile'],
    ['to-pipe', 'NotAFile'],
    ['socket', 'NotAFile'],
    ['round', 'ELOOP'],
    ['astray', 'ENOENT'],
    ['no/m.sbm', 'ENOENT'],
    ['', 'NoName'],
  ])('refuses "%s" before it reads the model', (output, code) => {
    const before = readdirSync(dir);
    refused(convert(output), code);
    refused(convert(output, 'missing.onnx'), code);
    expect(readdirSync(dir)).toEqual(before);
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
  });

  it('writes what a link leads to and keeps the link', () => {
    writeFileSync(at('folder/old.sbm'), 'old');
    for (const name of ['old.sbm', 'new.sbm']) {
      symlinkSync(`folder/${name}`, at(`link-${name}`));
      expect(convert(`link-${name}`).code).toBe(0);
      expect(readlinkSync(at(`link-${name}`))).toBe(`folder/${name}`);
      expect(bytes(at(`folder/${name}`))).toEqual(bytes(at('model.sbm')));
    }
  });

  it('refuses a link to its input', () => {
    symlinkSync(model, at('to-model'));
    refused(convert('to-model'), 'SameFile');
  });
});

describe('run -o', () => {
  const run = (output: string): ReturnType<typeof samebit> =>
    samebit(['run', 'model.sbm', '--input', example('german-credit/test.npy'), '-o', output], dir);

  it.each([
    ['model.sbm', 'NotAFolder'],
    ['model.sbm/below', 'ENOTDIR'],
    ['pipe', 'NotAFolder'],
    ['astray', 'NotAFolder'],
    ['', 'NoName'],
  ])('refuses "%s"', (output, code) => refused(run(output), code));

  it('takes a folder, a link to one, and a name that is free', () => {
    symlinkSync('folder', at('to-folder'));
    for (const output of ['folder', 'to-folder', 'free/below']) {
      expect(run(output).code).toBe(0);
      expect(readdirSync(at(output))).toContain('p_bad.npy');
    }
  });
});

describe('folders', () => {
  it('are made with those above them, and taken where they are', () => {
    makeFolder(at('made/in/turn'));
    makeFolder(at('made/in/turn'));
    expect(statSync(at('made/in/turn')).isDirectory()).toBe(true);
    rmSync(at('made'), { recursive: true });
  });

  it.runIf(process.platform === 'linux')('that no one can make are refused at once', () => {
    expect(() => makeFolder('/proc/none/below')).toThrow(/ENOENT|EACCES|EPERM/);
    expect(() => writeBytes('/proc/file', Uint8Array.of(1))).toThrow(/ENOENT|EACCES|EPERM/);
  });
});

describe('reading', () => {
  it.each([
    ['folder', 'EISDIR'],
    ['socket', 'NotAFile'],
    ['/dev/zero', 'NotAFile'],
  ])('refuses %s at once', (path, code) => {
    refused(samebit(['info', path], dir), code);
    refused(samebit(['run', 'model.sbm', '--input', path], dir), code);
  });

  /** Starts a program that writes `size` bytes into the pipe. */
  function feed(size: number): void {
    const script = `try { fs.writeFileSync(process.argv[1], Buffer.alloc(${size}, 7)) } catch {}`;
    spawn(process.execPath, ['-e', script, at('pipe')], { stdio: 'ignore' });
  }

  it('takes a pipe, up to the limit', () => {
    feed(200_000);
    const all = readBytes(at('pipe'), 200_001);
    expect([all.length, all.every((b) => b === 7)]).toEqual([200_000, true]);
    feed(200_000);
    expect(() => readBytes(at('pipe'), 200_000)).toThrow('has 200000 or more bytes');
    expect(readBytes(at('model.sbm'))).toEqual(bytes(at('model.sbm')));
    expect(() => readBytes(at('model.sbm'), 100)).toThrow(/has \d+ bytes/);
  });
});
