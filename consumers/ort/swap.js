// The same program over samebit: its import is all that changes.
import { readFileSync, writeFileSync } from 'node:fs';

const program = readFileSync('classify.ts', 'utf8');
writeFileSync('classify-samebit.ts', program.replace("from 'onnxruntime-web'", "from 'samebit/ort'"));
