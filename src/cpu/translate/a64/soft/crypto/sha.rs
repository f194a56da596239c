//! SHA1, SHA256, SHA512 (FIPS 180-4). Word 0 of a register is the lowest.

use super::{choose, each64, from_words, majority, words};

/// The instructions of SHA1 and SHA256 with three registers.
pub fn three_registers(op: u32, d: u128, n: u128, m: u128) -> Option<u128> {
    Some(match op {
        0b000 => sha1(d, n, m, choose),
        0b001 => sha1(d, n, m, |x, y, z| x ^ y ^ z),
        0b010 => sha1(d, n, m, majority),
        0b011 => (n << 64 | d >> 64) ^ d ^ m,
        0b100 => sha256(d, n, m).0,
        0b101 => sha256(n, d, m).1,
        0b110 => sha256_schedule(d, n, m),
        _ => return None,
    })
}

/// The instructions of SHA1 and SHA256 with two registers.
pub fn two_registers(op: u32, d: u128, n: u128) -> Option<u128> {
    Some(match op {
        0b00000 => u128::from((n as u32).rotate_left(30)),
        0b00001 => {
            let t = words(d ^ n >> 32).map(|x| x.rotate_left(1));
            from_words([t[0], t[1], t[2], t[3] ^ t[0].rotate_left(1)])
        }
        0b00010 => {
            let d_words = words(d);
            let t = words(n << 96 | d >> 32);
            from_words(std::array::from_fn(|i| {
                let sigma0 = t[i].rotate_right(7) ^ t[i].rotate_right(18) ^ t[i] >> 3;
                d_words[i].wrapping_add(sigma0)
            }))
        }
        _ => return None,
    })
}

/// SHA1C, SHA1P, SHA1M: four rounds; `x` holds a to d, the low word of `n` is e.
fn sha1(x: u128, n: u128, schedule: u128, f: fn(u32, u32, u32) -> u32) -> u128 {
    let ([mut a, mut b, mut c, mut d], mut e) = (words(x), n as u32);
    for w in words(schedule) {
        let next = a.rotate_left(5).wrapping_add(f(b, c, d)).wrapping_add(e).wrapping_add(w);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    from_words([a, b, c, d])
}

/// Four rounds of SHA256: `x` holds a to d, `y` e to h.
fn sha256(x: u128, y: u128, schedule: u128) -> (u128, u128) {
    let ([mut a, mut b, mut c, mut d], [mut e, mut f, mut g, mut h]) = (words(x), words(y));
    for w in words(schedule) {
        let sigma1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let sigma0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t1 = h.wrapping_add(sigma1).wrapping_add(choose(e, f, g)).wrapping_add(w);
        let t2 = sigma0.wrapping_add(majority(a, b, c));
        (a, b, c, d, e, f, g, h) = (t1.wrapping_add(t2), a, b, c, d.wrapping_add(t1), e, f, g);
    }
    (from_words([a, b, c, d]), from_words([e, f, g, h]))
}

/// SHA256SU1.
fn sha256_schedule(d: u128, n: u128, m: u128) -> u128 {
    let (d, add, m) = (words(d), words(m << 96 | n >> 32), words(m));
    let mut result = [0u32; 4];
    for i in 0..4 {
        let x = if i < 2 { m[i + 2] } else { result[i - 2] };
        let sigma1 = x.rotate_right(17) ^ x.rotate_right(19) ^ x >> 10;
        result[i] = sigma1.wrapping_add(d[i]).wrapping_add(add[i]);
    }
    from_words(result)
}

fn halves(v: u128) -> (u64, u64) {
    (v as u64, (v >> 64) as u64)
}

fn join(low: u64, high: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// SHA512H: the part of two rounds that makes e.
pub fn sha512h(d: u128, n: u128, m: u128) -> u128 {
    let ((w0, w1), (x0, x1), (y0, y1)) = (halves(d), halves(n), halves(m));
    let sigma1 = |e: u64| e.rotate_right(14) ^ e.rotate_right(18) ^ e.rotate_right(41);
    let high = (y1 & x0 ^ !y1 & x1).wrapping_add(sigma1(y1)).wrapping_add(w1);
    let e = high.wrapping_add(y0);
    join((e & y1 ^ !e & x0).wrapping_add(sigma1(e)).wrapping_add(w0), high)
}

/// SHA512H2: the part of two rounds that makes a.
pub fn sha512h2(d: u128, n: u128, m: u128) -> u128 {
    let ((w0, w1), (x0, _), (y0, y1)) = (halves(d), halves(n), halves(m));
    let sigma0 = |a: u64| a.rotate_right(28) ^ a.rotate_right(34) ^ a.rotate_right(39);
    let majority = |a: u64, b: u64, c: u64| a & b ^ a & c ^ b & c;
    let high = majority(x0, y1, y0).wrapping_add(sigma0(y0)).wrapping_add(w1);
    join(majority(high, y0, y1).wrapping_add(sigma0(high)).wrapping_add(w0), high)
}

/// SHA512SU0.
pub fn sha512su0(d: u128, n: u128) -> u128 {
    let ((w0, w1), (x0, _)) = (halves(d), halves(n));
    let sigma0 = |x: u64| x.rotate_right(1) ^ x.rotate_right(8) ^ x >> 7;
    join(w0.wrapping_add(sigma0(w1)), w1.wrapping_add(sigma0(x0)))
}

/// SHA512SU1.
pub fn sha512su1(d: u128, n: u128, m: u128) -> u128 {
    let ((w0, w1), (y0, y1)) = (halves(d), halves(m));
    let (s0, s1) = halves(each64(n, |x| x.rotate_right(19) ^ x.rotate_right(61) ^ x >> 6));
    join(w0.wrapping_add(s0).wrapping_add(y0), w1.wrapping_add(s1).wrapping_add(y1))
}
