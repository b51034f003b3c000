"""Softmax family and normalisations, one row at a time."""

from arith import EXP2, below, bitlen, clamp, divq, i32, isqrt, log2q, mulhr, rsh, stage, u32


# ---------------------------------------------------------------- softmax family
def exp_bits(kmax):
    return min(22, 31 - bitlen(kmax))


def exponent(d, l, m):
    """t: base-2 exponent in Q16 of a distance d >= 0 from the maximum."""
    assert d >= 0 and 0 <= l <= 24 and (l == 0 or m >= 2**30)
    return mulhr(min(d, (2**31 - 1) >> l) << l, m)


def expweight(t, e):
    """E = 2^e * 2^(-t/65536)."""
    assert t >= 0 and 0 <= e <= 22
    n, f = t >> 16, t & 0xFFFF
    i, r = f >> 8, f & 255
    v = EXP2[i] - rsh(below((EXP2[i] - EXP2[i + 1]) * r, 23), 8)
    return rsh(v, min(n + 23 - e, 25))


def row_weights(row, keep, l, m, e):
    kept = [v for v, k in zip(row, keep) if k]
    mx = max(kept, default=-(2**31))
    E = [expweight(exponent(mx - v, l, m), e) if k else 0 for v, k in zip(row, keep)]
    return mx, E, below(sum(E), 31, "S")


def softmax(row, keep, l, m, kmax, o, zp, lo, hi):
    assert lo <= zp <= hi and 1 <= o <= 15
    keep = keep or [1] * len(row)
    mx, E, S = row_weights(row, keep, l, m, exp_bits(kmax))
    return [clamp(zp + divq(x, S, o), lo, hi) if k else zp for x, k in zip(E, keep)]


def causal_keep(rows, cols, f):
    """Keep flags [rows][cols]: j <= i + f."""
    i32(f + rows - 1)
    return [[int(j <= i + f) for j in range(cols)] for i in range(rows)]


def log_softmax(row, l, m, kmax, m2, l2, zp, lo, hi):
    e = exp_bits(kmax)
    mx, E, S = row_weights(row, [1] * len(row), l, m, e)
    out = []
    for v in row:
        below((mx - v) << l, 31, "log_softmax distance")
        acc = -(exponent(mx - v, l, m) + log2q(S) - (e << 16))
        out.append(stage(i32(acc), m2, l2, zp, lo, hi))
    return out


# ---------------------------------------------------------------- normalisation
def mean_q(s1, n, k):
    """round_div(s1 * 2^k, n) in 32-bit steps."""
    assert 0 <= k <= 14 and 1 <= n <= 65536
    q0 = s1 // n
    r0 = s1 - q0 * n
    return i32(q0 << k) + u32(2 * (r0 << k) + n) // (2 * n)


def norm_stats(a, f, eps_n, rms):
    """Row facts S1 and V from a = x - zx."""
    n = len(a)
    s1 = 0 if rms else i32(sum(a))
    mean = 0 if rms else mean_q(s1, n, f)
    lo = hi = rho = 0
    for v in a:
        c = below((v << f) - mean, 16, "c")
        lo, hi, rho = u32(lo + (c * c & 0xFFFF)), u32(hi + (c * c >> 16)), i32(rho + c)
    if rms:
        rho = 0
    assert abs(rho) <= n // 2  # what the rounding of the mean left over
    var = hi * 65536 + lo - rho * rho // n
    V = var + eps_n
    assert 0 <= var <= 2**46 and 1 <= eps_n < 2**48 and V < 2**49
    return s1, V


def norm_scale(V):
    """(k, R) with 1/sqrt(V) = R * 2^(k/2 - 45), 2^29 <= R <= 2^30."""
    k = (32 - bitlen(V)) & ~1
    vn = u32(V << k if k >= 0 else V >> -k)
    assert vn >= 2**30 and -18 <= k <= 30
    r = isqrt(vn)
    g = min(u32((vn - r * r) << 14) // r, 32767)
    s = (r << 15) + g
    assert 2**30 <= s < 2**31
    R = divq(2**30, s, 30)
    assert 2**29 <= R <= 2**30
    return k, R


def norm_element(a, s1, n, V, f, gamma, beta, g, zp, lo, hi, rms):
    k, R = norm_scale(V)
    total = f + k // 2 + 13
    F = min(14, total)
    J = total - F
    assert F >= 4 and 0 <= J <= 20
    x = below(((a << F) - (0 if rms else mean_q(s1, n, F))) << J, 31, "x")
    norm = below(mulhr(x, R), 27, "n'")
    t = i32(mulhr(norm, gamma) + beta)
    return clamp(zp + rsh(t, g), lo, hi)


def layer_norm(row, zx, f, eps_n, gamma, beta, g, zp, lo, hi, rms=False):
    a = [v - zx for v in row]
    s1, V = norm_stats(a, f, eps_n, rms)
    return [norm_element(v, s1, len(a), V, f, gamma[i], beta[i], g, zp, lo, hi, rms) for i, v in enumerate(a)]


def group_norm(x, groups, zx, f, eps_n, gamma, beta, g, zp, lo, hi):
    """x [P][C] (P = H*W)."""
    C = len(x[0])
    cg = C // groups
    out = [[0] * C for _ in x]
    for j in range(groups):
        a = [row[j * cg + c] - zx for row in x for c in range(cg)]
        s1, V = norm_stats(a, f, eps_n, False)
        for p, row in enumerate(x):
            for c in range(j * cg, (j + 1) * cg):
                out[p][c] = norm_element(row[c] - zx, s1, len(a), V, f, gamma[c], beta[c], g, zp, lo, hi, False)
    return out
