/**
 * Try: four networks at work.
 * @module
 */
import { start } from '../shell/layout.ts';
import { chat } from './chat.ts';
import { digit } from './digit.ts';
import { face } from './face.ts';
import { large } from './large.ts';
import { offerBackends } from './run.ts';

start();
offerBackends();
digit();
chat();
face();
large();
