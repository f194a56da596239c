//! What the engine counts about itself, for `--cpu-stats`.

use std::collections::BTreeMap;

use super::front::{Reason, Translated};

/// Counters since the engine was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blocks translated.
    pub blocks: u64,
    /// Guest instructions in them.
    pub instructions: u64,
    /// Bytes of host code for them.
    pub host_bytes: u64,
    /// Instructions in them that helpers do.
    pub soft: u64,
    /// Direct jumps that were linked.
    pub links: u64,
    /// Exits of translated code, by the number of [`Reason`].
    pub exits: [u64; Reason::ALL.len()],
    /// Instructions that another backend did, by word.
    pub fallbacks: BTreeMap<u32, u64>,
    /// How often all translations were thrown away for want of room.
    pub flushes: u64,
    /// How often the guest said that code had changed.
    pub invalidations: u64,
}

impl Stats {
    pub(super) fn translated(&mut self, block: &Translated, host_bytes: usize) {
        self.blocks += 1;
        self.instructions += u64::from(block.count);
        self.host_bytes += host_bytes as u64;
        self.soft += u64::from(block.soft);
    }

    #[cold]
    pub(super) fn fall_back(&mut self, word: u32) {
        *self.fallbacks.entry(word).or_default() += 1;
    }

    /// All of it, by name.
    pub(super) fn named(&self) -> Vec<(String, u64)> {
        let one = |name: &str, value: u64| (name.to_string(), value);
        let mut named = vec![
            one("blocks translated", self.blocks),
            one("instructions translated", self.instructions),
            one("instructions translated to calls of helpers", self.soft),
            one("bytes of host code", self.host_bytes),
            one("jumps linked", self.links),
            one("translations thrown away", self.flushes),
            one("code invalidated by the guest", self.invalidations),
        ];
        named.extend(Reason::ALL.iter().zip(self.exits).map(|(reason, n)| (format!("exits: {reason:?}"), n)));
        named.extend(self.fallbacks.iter().map(|(word, n)| (format!("done by another backend: {word:#010x}"), *n)));
        named
    }
}
