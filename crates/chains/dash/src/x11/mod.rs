//! X11, the hash that names Dash blocks: eleven 512-bit hash functions of the SHA-3 contest in a chain.
//!
//! The order and the cut to 32 bytes are those of Dash Core's `HashX11` (`src/hash_x11.h`). Each function is written from
//! its submission document; none of them guards a secret here, so table lookups are fine.

mod aes;
mod blake;
mod bmw;
mod cubehash;
mod echo;
mod groestl;
mod jh;
mod keccak;
mod luffa;
mod shavite;
mod simd;
mod skein;
mod words;

/// Computes the X11 hash of `header` in wire order; reversed, it is the block hash that explorers show.
///
/// A block id is the hash of the 80-byte header, but any input is accepted, an empty one too. Cannot fail.
#[must_use]
pub fn x11(header: &[u8]) -> [u8; 32] {
    let mut hash = blake::hash(header);
    for next in [
        bmw::hash,
        groestl::hash,
        skein::hash,
        jh::hash,
        keccak::hash,
        luffa::hash,
        cubehash::hash,
        shavite::hash,
        simd::hash,
        echo::hash,
    ] {
        hash = next(&hash);
    }
    std::array::from_fn(|i| hash[i])
}

#[cfg(test)]
mod tests;
