/**
 * Built by scripts/build-wasm.ts from kernels/wasm; not to be edited.
 * @module
 */

/** SHA-256 of the module. */
export const SHA256 = '4fe28c772331e526a400e1adc62aab33d4339869cddf0da0b21e03202224fc8a';
/** Length of the module in bytes. */
export const LENGTH = 151;
/** Where the flags of the memory’s limits are: 1, a maximum. */
export const LIMITS = 34;
/** The module as text: textOf of scripts/build-wasm.ts. */
export const TEXT =
  '+!6!H!B,+++,4,!50!T!T!T!T!T+-=,.!:!C!K1!B!:!B!D!G!N-,,**..-,+24,0!L!>!9!:!C++5!4,!2+K.K+m6!I!?L.K-K/K,m5!IM,K,K/wF!?L,K-K+m5!I!?L-.lK,K-w/lK.K-(,++(6/+K.K-(,+3(6/;K-m;!?L-K.mK!?L.7,666';
