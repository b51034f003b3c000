/**
 * Errors on a page: what is wrong, its code, the next step.
 * @module
 */
import { el } from './dom.ts';

/** What is shown of an error; it crosses from a worker, where classes are lost. */
export interface Failure {
  readonly family: string;
  readonly code?: string | undefined;
  readonly message: string;
  readonly next?: string | undefined;
}

/** An error of any kind as a failure. Coded errors of the library bring their next step as `hint`. */
export function failureOf(e: unknown): Failure {
  type Coded = Error & { family?: string; code?: string; hint?: string };
  const { name = 'Error', family = name, message = String(e), code, hint } = (e ?? {}) as Coded;
  return { family, message, ...(typeof code === 'string' ? { code } : {}), ...(hint ? { next: hint } : {}) };
}

/** A box that says what went wrong; screen readers hear it at once. */
export function errorBox(e: unknown): HTMLElement {
  const { family, code, message, next } = (e as Failure)?.family === undefined ? failureOf(e) : (e as Failure);
  return el(
    'div',
    { class: 'error', role: 'alert' },
    el('strong', {}, code === undefined ? family : `${family} ${code}`),
    el('p', {}, message),
    next === undefined ? null : el('p', {}, el('span', { class: 'label' }, 'Next: '), next),
  );
}
