// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRule, Proof, Statement} from "../Types.sol";
import {Reader} from "../Reader.sol";

/// @title softmax and layer_norm (spec/10-ops.md §5): row figures are steps of the trace, their terms the elements of a row.
contract Rows is Reader {
    uint256 private constant SOFTMAX = 25;
    uint256 private constant LAYER_NORM = 27;
    int256 private constant NOTHING = -2147483648;

    /// @dev EXP2 of spec/00-numerics.md §2.2: 257 words of 32 bits, big-endian.
    bytes private constant EXP2 =
        hex"00800000007fa766007f4f09007ef6e9007e9f06007e4760007deff7007d98ca007d41d9007ceb25007c94ad007c3e70"
        hex"007be870007b92ab007b3d21007ae7d2007a92bf007a3de60079e948007994e5007940bc0078eccd007899180078459e"
        hex"0077f25d00779f5600774c880076f9f30076a798007655760076038c0075b1dc0075606300750f240074be1c00746d4d"
        hex"00741cb50073cc5500737c2d00732c3d0072dc8300728d0100723db60071eea200719fc50071511e007102ad0070b473"
        hex"0070666f007018a2006fcb09006f7da7006f307a006ee383006e96c1006e4a34006dfddc006db1b9006d65ca006d1a10"
        hex"006cce8b006c833a006c381d006bed34006ba27e006b57fd006b0daf006ac395006a79ad006a2ff90069e67800699d2a"
        hex"0069540f00690b260068c270006879ec0068319a0067e97a0067a18c006759d0006712460066caed006683c600663cd0"
        hex"0065f60a0065af7600656913006522e10064dcdf0064970d0064516c00640bfb0063c6ba006381a900633cc80062f817"
        hex"0062b39500626f4300622b1f0061e72b0061a36600615fd000611c690060d930006096260060534b0060109d005fce1e"
        hex"005f8bcd005f49aa005f07b4005ec5ec005e8452005e42e5005e01a5005dc093005d7fad005d3ef5005cfe69005cbe0a"
        hex"005c7dd8005c3dd2005bfdf8005bbe4a005b7ec9005b3f73005b004a005ac14c005a827a005a43d3005a05570059c707"
        hex"005988e200594ae800590d190058cf74005891fb005854ac005817870057da8d00579dbc005761160057249a0056e848"
        hex"0056ac1f005670210056344b0055f89f0055bd1d005581c30055469300550b8c0054d0ad005495f800545b6b00542106"
        hex"0053e6ca0053acb6005372ca005339070052ff6b0052c5f800528cac0052538800521a8b0051e1b60051a90800517081"
        hex"005138220050ffe90050c7d700508fed005058290050208b004fe914004fb1c3004f7a99004f4395004f0cb7004ed5ff"
        hex"004e9f6d004e6900004e32ba004dfc99004dc69d004d90c7004d5b15004d258a004cf023004cbae1004c85c4004c50cc"
        hex"004c1bf8004be749004bb2bf004b7e58004b4a17004b15f9004ae1ff004aae2a004a7a78004a46ea004a13800049e039"
        hex"0049ad1600497a1600494739004914800048e1ea0048af7700487d2600484af9004818ee0047e7060047b5410047839d"
        hex"0047521d004720be0046ef820046be6800468d7000465c9900462be50045fb520045cae100459a9100456a6300453a56"
        hex"00450a6b0044daa00044aaf700447b6f00444c0700441cc10043ed9b0043be9500438fb1004360ed00433249004303c5"
        hex"0042d5620042a71e004278fb00424af800421d140041ef510041c1ad00419428004166c30041397e00410c580040df51"
        hex"0040b269004085a0004058f700402c6c00400000";

    /// @inheritdoc IRule
    function terms(bytes calldata leaf, uint256 index, uint256 element, uint256[] calldata dims)
        external
        pure
        returns (uint256 count, uint256 combine)
    {
        Cell memory c = cellOf(leaf, index, element, dims);
        if (c.step == 2) return (0, 0);
        count = dimAt(uword(leaf, c.operands + 6 + uword(leaf, c.operands + 6)), dims);
        combine = c.code == SOFTMAX && c.step == 0 ? 1 : 0;
    }

    /// @inheritdoc IRule
    function part(Statement calldata s, Proof calldata p, uint256 from, uint256 to) external pure returns (int256) {
        check(s, p);
        Cell memory c = cellOf(p.leaf, p.index, p.element, s.dims);
        if (c.step == 2) return 0;
        if (c.code == SOFTMAX) return c.step == 0 ? largest(s, p, c, from, to) : weights(s, p, c, from, to);
        if (c.code == LAYER_NORM) return moments(s, p, c, from, to);
        revert NoRule(c.code);
    }

    /// @inheritdoc IRule
    function finish(Statement calldata s, Proof calldata p, int256 total) external pure returns (int256) {
        check(s, p);
        Cell memory c = cellOf(p.leaf, p.index, p.element, s.dims);
        if (c.code == SOFTMAX) return c.step < 2 ? total : share(s, p, c);
        if (c.code == LAYER_NORM) return c.step == 0 ? total : c.step == 1 ? variance(s, p, c, total) : norm(s, p, c);
        revert NoRule(c.code);
    }

    // ---- softmax: l, m, o, output (dtype, zp, lo, hi), causal, offset

    /// @dev What decides whether column j of a row is kept.
    struct Mask {
        Tensor mask;
        bool causal;
        Tensor offset;
        int256 diagonal;
    }

    /// @dev `rows`: leading axes of the cell that count rows.
    function maskOf(Statement calldata s, Proof calldata p, Cell memory c, uint256 rows)
        private
        pure
        returns (Mask memory m)
    {
        unchecked {
            m.mask = operand(s, p, c, 1);
            m.causal = uword(p.leaf, c.attrs + 7) == 1;
            if (!m.causal) return m;
            m.offset = operand(s, p, c, 2);
            m.diagonal = int256(c.pos[rows - 1]) + signedAt(uword(p.leaf, c.attrs + 8), s.dims);
        }
    }

    function kept(Mask memory m, Cell memory c, uint256 rows, uint256 j) private pure returns (bool) {
        unchecked {
            if (m.mask.present) {
                uint256[8] memory pos = c.pos;
                pos[rows] = j;
                if (read(m.mask, broadcast(m.mask, pos, rows + 1)) == 0) return false;
            }
            if (!m.causal) return true;
            return int256(j) <= m.diagonal + (m.offset.present ? read(m.offset, 0) : int256(0));
        }
    }

    function largest(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 mx)
    {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            Mask memory m = maskOf(s, p, c, c.rank);
            uint256 k = x.dims[x.rank - 1];
            mx = NOTHING;
            for (uint256 j = from; j < to; ++j) {
                if (!kept(m, c, c.rank, j)) continue;
                int256 v = read(x, p.element * k + j);
                if (v > mx) mx = v;
            }
        }
    }

    function weights(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 sum)
    {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            Mask memory m = maskOf(s, p, c, c.rank);
            uint256 k = x.dims[x.rank - 1];
            int256 mx = read(step(s, p, c, 0), p.element);
            for (uint256 j = from; j < to; ++j) {
                if (kept(m, c, c.rank, j)) sum += weight(p, c, mx - read(x, p.element * k + j));
            }
        }
    }

    function share(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            uint256 row = p.element / x.dims[x.rank - 1];
            int256 sum = read(step(s, p, c, 1), row);
            uint256 rows = c.rank - 1;
            if (sum == 0 || !kept(maskOf(s, p, c, rows), c, rows, c.pos[rows])) return word(p.leaf, c.attrs + 4);
            int256 e = weight(p, c, read(step(s, p, c, 0), row) - read(x, p.element));
            int256 shifted = e << uword(p.leaf, c.attrs + 2);
            return bounded(p.leaf, c.attrs + 3, (shifted + (sum >> 1)) / sum);
        }
    }

    /// @dev expweight(exponent(d)).
    function weight(Proof calldata p, Cell memory c, int256 d) private pure returns (int256) {
        unchecked {
            uint256 l = uword(p.leaf, c.attrs);
            int256 cap = int256(2147483647 >> l);
            uint256 t = uint256(mulhr((d < cap ? d : cap) << l, word(p.leaf, c.attrs + 1)));
            uint256 i = (t >> 8) & 255;
            int256 a = exp2(i);
            int256 v = a - rsh((a - exp2(i + 1)) * int256(t & 255), 8);
            uint256 shift = (t >> 16) + 23 - uint256(fact(p.leaf, c, "weightBits"));
            return rsh(v, shift < 25 ? shift : 25);
        }
    }

    function exp2(uint256 i) private pure returns (int256) {
        bytes memory table = EXP2;
        uint256 v;
        assembly ("memory-safe") {
            v := shr(224, mload(add(add(table, 32), shl(2, i))))
        }
        return int256(v);
    }

    // ---- layer_norm: eps, g, output

    function moments(Statement calldata s, Proof calldata p, Cell memory c, uint256 from, uint256 to)
        private
        pure
        returns (int256 sum)
    {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            uint256 n = x.dims[x.rank - 1];
            if (c.step == 0) {
                for (uint256 i = from; i < to; ++i) sum += read(x, p.element * n + i) - x.zp;
                return sum;
            }
            uint256 f = uint256(fact(p.leaf, c, "fraction"));
            int256 mean = meanQ(read(step(s, p, c, 0), p.element), n, f);
            for (uint256 i = from; i < to; ++i) {
                int256 v = ((read(x, p.element * n + i) - x.zp) << f) - mean;
                sum += v * v;
            }
        }
    }

    /// @dev roundDiv(s1·2^k, n).
    function meanQ(int256 s1, uint256 n, uint256 k) private pure returns (int256) {
        unchecked {
            return floorDiv(2 * (s1 << k) + int256(n), 2 * int256(n));
        }
    }

    /// @dev Σc² − ⌊ρ²/N⌋ + eps, ρ = s1·2^f − N·mean.
    function variance(Statement calldata s, Proof calldata p, Cell memory c, int256 squares)
        private
        pure
        returns (int256)
    {
        unchecked {
            uint256 n = dimAt(uword(p.leaf, c.operands + 6 + uword(p.leaf, c.operands + 6)), s.dims);
            uint256 f = uint256(fact(p.leaf, c, "fraction"));
            int256 s1 = read(step(s, p, c, 0), p.element);
            int256 rho = (s1 << f) - int256(n) * meanQ(s1, n, f);
            return squares - rho * rho / int256(n) + word(p.leaf, c.attrs);
        }
    }

    function norm(Statement calldata s, Proof calldata p, Cell memory c) private pure returns (int256) {
        unchecked {
            Tensor memory x = operand(s, p, c, 0);
            uint256 n = x.dims[x.rank - 1];
            uint256 row = p.element / n;
            (int256 k, int256 r) = scale(uint256(read(step(s, p, c, 1), row)));
            int256 total = fact(p.leaf, c, "fraction") + (k >> 1) + 13;
            uint256 shift = total < 14 ? uint256(total) : 14;
            int256 v = ((read(x, p.element) - x.zp) << shift) - meanQ(read(step(s, p, c, 0), row), n, shift);
            v = mulhr(v << (uint256(total) - shift), r);
            uint256 i = c.pos[c.rank - 1];
            v = mulhr(v, read(operand(s, p, c, 1), i)) + read(operand(s, p, c, 2), i);
            return bounded(p.leaf, c.attrs + 2, rsh(v, uword(p.leaf, c.attrs + 1)));
        }
    }

    /// @dev (k, R) with 1/√V = R·2^(k/2−45).
    function scale(uint256 v) private pure returns (int256 k, int256 r) {
        unchecked {
            uint256 bits;
            for (uint256 w = v; w != 0; w >>= 1) ++bits;
            k = 32 - int256(bits);
            if (k & 1 == 1) --k;
            uint256 vn = k >= 0 ? v << uint256(k) : v >> uint256(-k);
            uint256 root;
            for (uint256 b = 32768; b > 0; b >>= 1) {
                uint256 t = root + b;
                if (t * t <= vn) root = t;
            }
            uint256 more = (vn - root * root) * 16384 / root;
            if (more > 32767) more = 32767;
            uint256 d = root * 32768 + more;
            r = int256(((uint256(1) << 60) + (d >> 1)) / d);
        }
    }
}
