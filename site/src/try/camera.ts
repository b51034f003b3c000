/**
 * The camera, and what to do where there is none.
 * @module
 */
import type { Failure } from '../shell/error.ts';

/** Next steps by the names of the errors of `getUserMedia`. */
const STEPS: Readonly<Record<string, readonly [code: string, message: string, next: string]>> = {
  NotAllowedError: [
    'Denied',
    'the browser may not use the camera here',
    'Allow the camera for this page beside its address and press the button again, or drop a picture.',
  ],
  NotFoundError: ['NoCamera', 'this machine has no camera', 'Connect one, or drop a picture.'],
  NotReadableError: [
    'Busy',
    'the camera gives no picture',
    'Close the program that uses it and press the button again, or drop a picture.',
  ],
};

/** Pictures of the camera. @throws Failure where it is denied, missing, in use, or on a page that is not secure */
export async function openCamera(): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined)
    throw {
      family: 'HostError',
      code: 'NotSecure',
      message: 'browsers give a camera to pages over HTTPS and on localhost alone',
      next: 'Open the site over HTTPS, or drop a picture.',
    } satisfies Failure;
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { width: 640 } });
  } catch (e) {
    const [code, message, next] = STEPS[(e as Error).name] ?? ['Unknown', String(e), 'Drop a picture instead.'];
    throw { family: 'HostError', code, message, next } satisfies Failure;
  }
}
