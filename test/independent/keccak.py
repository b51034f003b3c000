"""keccak256 as the EVM has it: Keccak-f[1600], rate 136, padding 0x01 … 0x80 (not SHA-3, whose padding begins with 0x06)."""

MASK = 2**64 - 1
RATE = 136


def constants():
    """The round constants, from the LFSR x^8 + x^6 + x^5 + x^4 + 1."""
    found, state = [], 1
    for _ in range(24):
        word = 0
        for j in range(7):
            if state & 1:
                word |= 1 << (2**j - 1)
            state = (state << 1) ^ (0x171 if state >> 7 else 0)
        found.append(word)
    return found


def offsets():
    """Where each lane goes and by how much it turns: the steps ρ and π in one walk."""
    walk, x, y, turn = [], 1, 0, 0
    for t in range(24):
        turn += t + 1
        x, y, old = y, (2 * x + 3 * y) % 5, 5 * y + x
        walk.append((old, 5 * y + x, turn % 64))
    return walk


ROUNDS, WALK = constants(), offsets()


def permute(a):
    for constant in ROUNDS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ ((c[(x + 1) % 5] << 1 | c[(x + 1) % 5] >> 63) & MASK) for x in range(5)]
        a = [v ^ d[i % 5] for i, v in enumerate(a)]
        b = a[:]
        for old, to, n in WALK:
            b[to] = (a[old] << n | a[old] >> 64 - n) & MASK
        a = [b[i] ^ (~b[i - i % 5 + (i + 1) % 5] & b[i - i % 5 + (i + 2) % 5]) for i in range(25)]
        a[0] ^= constant
    return a


def keccak256(data):
    padded = bytearray(data) + bytes(RATE - len(data) % RATE)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    state = [0] * 25
    for at in range(0, len(padded), RATE):
        for i in range(RATE // 8):
            state[i] ^= int.from_bytes(padded[at + 8 * i : at + 8 * i + 8], "little")
        state = permute(state)
    return b"".join(v.to_bytes(8, "little") for v in state[:4])


assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
