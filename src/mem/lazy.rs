//! Copies that fork(2) puts off until one side touches the bytes.
//!
//! A *chunk* of the parent's memory that the child has not got yet stands in two maps: among the [`Pull`]s of the child,
//! whose host pages are inaccessible, and among the [`Shared`] chunks of the parent, whose host pages are read-only. The
//! first access of the child, or the first store of the parent, faults on the host; the handler of `region.rs` then comes to
//! [`touched`], the bytes are copied, and the access is made again. So no CPU backend knows of this. Host calls do
//! not fault but fail, so whatever hands memory to one, or changes mappings, settles the range first.
//!
//! Everything is keyed by host address and belongs to the thread that made the spaces, which cannot leave it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use super::region::{copy_host, move_host, protect_host};
use super::{PAGE_SIZE, Prot};

/// The smallest chunk, in bytes: small enough to copy in a few microseconds, large enough that few faults happen.
const CHUNK: usize = 64 << 10;

/// Most chunks of one run of pages: larger runs have larger chunks.
const CHUNKS_PER_RUN: usize = 1024;

/// Most chunks together: each may cost the host two mappings, of which it has 65530.
const CHUNKS_MOST: usize = 8192;

/// A chunk of a child that is still to be fetched.
#[derive(Clone, Copy, Debug)]
struct Pull {
    len: usize,
    /// Where its bytes are.
    source: usize,
    /// What the child may do with it.
    prot: Prot,
}

/// A chunk that others still need as it is.
#[derive(Clone, Debug)]
struct Shared {
    len: usize,
    /// What its owner may do with it.
    prot: Prot,
    /// The chunks that get its bytes.
    takers: Vec<usize>,
}

#[derive(Debug, Default)]
struct Lazy {
    pulls: BTreeMap<usize, Pull>,
    shared: BTreeMap<usize, Shared>,
}

thread_local! {
    static LAZY: RefCell<Lazy> = const { RefCell::new(Lazy { pulls: BTreeMap::new(), shared: BTreeMap::new() }) };
}

/// What becomes of chunks that a range still has to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// They are fetched.
    Fetch,
    /// They are forgotten: the range gets other contents.
    Drop,
}

/// The host refused something; the range is as it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused;

/// The keys of a map whose chunks overlap the range.
fn overlapping<T>(map: &BTreeMap<usize, T>, range: &Range<usize>, len: impl Fn(&T) -> usize) -> Vec<usize> {
    let before = map.range(..range.start).next_back().filter(|(at, chunk)| **at + len(chunk) > range.start);
    before.map(|(at, _)| *at).into_iter().chain(map.range(range.clone()).map(|(at, _)| *at)).collect()
}

impl Lazy {
    fn is_empty(&self) -> bool {
        self.pulls.is_empty() && self.shared.is_empty()
    }

    /// Fetches a chunk of a child.
    fn fetch(&mut self, at: usize) -> Result<(), Refused> {
        let Some(pull) = self.pulls.get(&at).copied() else { return Ok(()) };
        protect_host(at, pull.len, Prot::READ | Prot::WRITE)?;
        copy_host(pull.source, at, pull.len)?;
        if !pull.prot.contains(Prot::WRITE) {
            protect_host(at, pull.len, pull.prot)?;
        }
        self.pulls.remove(&at);
        self.leave(pull.source, at);
        Ok(())
    }

    /// A taker no longer needs a chunk; its owner may write to it again when it was the last. If the host cannot allow
    /// that now, the owner's next store tries again.
    fn leave(&mut self, source: usize, taker: usize) {
        let Some(shared) = self.shared.get_mut(&source) else { return };
        shared.takers.retain(|t| *t != taker);
        if shared.takers.is_empty() && protect_host(source, shared.len, shared.prot).is_ok() {
            self.shared.remove(&source);
        }
    }

    /// Gives a shared chunk to all that need it.
    fn give(&mut self, source: usize) -> Result<(), Refused> {
        let Some(shared) = self.shared.get(&source) else { return Ok(()) };
        let (len, prot) = (shared.len, shared.prot);
        for taker in shared.takers.clone() {
            self.fetch(taker)?;
        }
        if self.shared.contains_key(&source) {
            protect_host(source, len, prot)?;
            self.shared.remove(&source);
        }
        Ok(())
    }

    /// Forgets chunks that are still to be fetched; their owners' pages are opened in few calls.
    fn forget(&mut self, takers: &[usize]) {
        let mut free: Vec<usize> = Vec::new();
        for at in takers {
            let Some(pull) = self.pulls.remove(at) else { continue };
            if let Some(shared) = self.shared.get_mut(&pull.source) {
                shared.takers.retain(|t| t != at);
                if shared.takers.is_empty() {
                    free.push(pull.source);
                }
            }
        }
        free.sort_unstable();
        let mut run: Option<(usize, usize, Prot)> = None;
        let mut members: Vec<usize> = Vec::new();
        for source in free {
            let Some(shared) = self.shared.get(&source) else { continue };
            let (len, prot) = (shared.len, shared.prot);
            match &mut run {
                Some((start, sum, of)) if *start + *sum == source && *of == prot => *sum += len,
                _ => {
                    self.open(run, &mut members);
                    run = Some((source, len, prot));
                }
            }
            members.push(source);
        }
        self.open(run, &mut members);
    }

    /// Gives a run of chunks back to its owner.
    fn open(&mut self, run: Option<(usize, usize, Prot)>, members: &mut Vec<usize>) {
        let opened = run.is_some_and(|(start, len, prot)| protect_host(start, len, prot).is_ok());
        for source in members.drain(..).filter(|_| opened) {
            self.shared.remove(&source);
        }
    }

    fn settle(&mut self, range: &Range<usize>, missing: Missing) -> Result<(), Refused> {
        let pulls = overlapping(&self.pulls, range, |p| p.len);
        let inside =
            |lazy: &Lazy, at: usize| at >= range.start && lazy.pulls.get(&at).is_some_and(|p| at + p.len <= range.end);
        let (whole, part): (Vec<usize>, Vec<usize>) =
            pulls.into_iter().partition(|at| missing == Missing::Drop && inside(self, *at));
        for at in part {
            self.fetch(at)?;
        }
        self.forget(&whole);
        for source in overlapping(&self.shared, range, |s| s.len) {
            self.give(source)?;
        }
        Ok(())
    }
}

/// Whether nothing is put off, which makes all else here cost nothing.
pub(super) fn is_idle() -> bool {
    LAZY.with_borrow(Lazy::is_empty)
}

/// Makes a range of host addresses ordinary memory again, before a host call uses it or its mapping changes.
///
/// # Errors
/// The host refused a copy.
pub(super) fn settle(range: Range<usize>, missing: Missing) -> Result<(), Refused> {
    LAZY.with_borrow_mut(|lazy| if lazy.is_empty() { Ok(()) } else { lazy.settle(&range, missing) })
}

/// Makes a range readable, before a host call reads it.
///
/// # Errors
/// The host refused a copy.
pub(super) fn settle_for_reading(range: Range<usize>) -> Result<(), Refused> {
    LAZY.with_borrow_mut(|lazy| {
        if lazy.pulls.is_empty() {
            return Ok(());
        }
        overlapping(&lazy.pulls, &range, |p| p.len).into_iter().try_for_each(|at| lazy.fetch(at))
    })
}

/// The parts of a range that hold bytes which others have as well: those still to be fetched, and those that others are
/// still to fetch. Ascending and apart.
pub(super) fn in_common(range: &Range<usize>) -> Vec<Range<usize>> {
    LAZY.with_borrow(|lazy| {
        let pulls = overlapping(&lazy.pulls, range, |p| p.len).into_iter().map(|at| (at, lazy.pulls[&at].len));
        let shared = overlapping(&lazy.shared, range, |s| s.len).into_iter().map(|at| (at, lazy.shared[&at].len));
        let mut chunks: Vec<(usize, usize)> = pulls.chain(shared).collect();
        chunks.sort_unstable();
        let mut parts: Vec<Range<usize>> = Vec::new();
        for (at, len) in chunks {
            let part = at.max(range.start)..(at + len).min(range.end);
            match parts.last_mut() {
                Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
                _ => parts.push(part),
            }
        }
        parts
    })
}

/// A fault on the host at this address: whether it was one of these, and the access may be made again.
pub(super) fn touched(addr: usize) -> bool {
    let holds = |at: usize, len: usize| addr - at < len;
    let settled = LAZY.try_with(|lazy| {
        let Ok(mut lazy) = lazy.try_borrow_mut() else { return false };
        let pull = lazy.pulls.range(..=addr).next_back().filter(|(at, p)| holds(**at, p.len)).map(|(at, _)| *at);
        if let Some(at) = pull {
            return lazy.fetch(at).is_ok();
        }
        let shared = lazy.shared.range(..=addr).next_back().filter(|(at, s)| holds(**at, s.len)).map(|(at, _)| *at);
        shared.is_some_and(|source| lazy.give(source).is_ok())
    });
    settled.unwrap_or(false)
}

/// Puts off copying `len` bytes from the pages at `from`, which hold bytes, to those at `to`, which are new; both may be
/// used as `prot` says, writing included.
///
/// # Errors
/// It has not been put off, and is to be done now: there are too many already, or the host refused.
pub(super) fn put_off(from: usize, to: usize, len: usize, prot: Prot) -> Result<(), Refused> {
    LAZY.with_borrow_mut(|lazy| {
        let size = CHUNK.max(len.div_ceil(CHUNKS_PER_RUN)).next_multiple_of(CHUNK);
        if lazy.pulls.len() + len / size + 2 > CHUNKS_MOST {
            return Err(Refused);
        }
        // Chunks end at multiples of their size, so that two forks one after the other make the same ones.
        let mut cuts = vec![from];
        cuts.extend(((from / size + 1) * size..from + len).step_by(size));
        cuts.push(from + len);
        let chunks: Vec<(usize, usize)> = cuts.windows(2).map(|w| (w[0], w[1] - w[0])).collect();
        // Chunks of an earlier fork that are cut otherwise are done with.
        for at in overlapping(&lazy.shared, &(from..from + len), |s| s.len) {
            let same = lazy.shared.get(&at).is_some_and(|s| chunks.contains(&(at, s.len)) && s.prot == prot);
            if !same {
                lazy.give(at)?;
            }
        }
        protect_host(to, len, Prot::empty())?;
        if protect_host(from, len, Prot::READ).is_err() {
            protect_host(to, len, prot)?;
            return Err(Refused);
        }
        for (source, len) in chunks {
            let at = to + (source - from);
            lazy.pulls.insert(at, Pull { len, source, prot });
            let shared = lazy.shared.entry(source).or_insert_with(|| Shared { len, prot, takers: Vec::new() });
            shared.takers.push(at);
        }
        Ok(())
    })
}

/// A child of a child: what the space at `from` still has to fetch from elsewhere, the one at `to`, which is new, fetches
/// from there as well. `range` is of host addresses of the first.
///
/// # Errors
/// The host refused.
pub(super) fn inherit(range: Range<usize>, to: usize) -> Result<(), Refused> {
    LAZY.with_borrow_mut(|lazy| {
        for at in overlapping(&lazy.pulls, &range, |p| p.len) {
            let Some(pull) = lazy.pulls.get(&at).copied() else { continue };
            if at < range.start || at + pull.len > range.end || lazy.pulls.len() >= CHUNKS_MOST {
                lazy.fetch(at)?;
                continue;
            }
            let target = to + (at - range.start);
            protect_host(target, pull.len, Prot::empty())?;
            lazy.pulls.insert(target, pull);
            if let Some(shared) = lazy.shared.get_mut(&pull.source) {
                shared.takers.push(target);
            }
        }
        Ok(())
    })
}

/// The space in this range of host addresses goes: what it has to fetch is forgotten, and what others need of it moves
/// to the first of them.
///
/// # Errors
/// The host could neither move nor copy something, so that the range has to stay as it is.
pub(super) fn depart(range: Range<usize>) -> Result<(), Refused> {
    LAZY.with_borrow_mut(|lazy| {
        if lazy.is_empty() {
            return Ok(());
        }
        let own: Vec<usize> = lazy.pulls.range(range.clone()).map(|(at, _)| *at).collect();
        lazy.forget(&own);
        let left: Vec<usize> = lazy.shared.range(range).map(|(at, _)| *at).collect();
        // Neighbours that go to neighbours go together.
        let mut run: Vec<(usize, usize)> = Vec::new();
        let mut sum = 0;
        for source in left {
            let Some(shared) = lazy.shared.get(&source).cloned() else { continue };
            let [taker] = shared.takers[..] else {
                lazy.give(source)?;
                continue;
            };
            let follows = run.first().is_some_and(|(s, t)| s + sum == source && t + sum == taker);
            if !follows {
                lazy.hand_over(&run, sum)?;
                (run, sum) = (Vec::new(), 0);
            }
            run.push((source, taker));
            sum += shared.len;
        }
        lazy.hand_over(&run, sum)
    })
}

impl Lazy {
    /// Moves the pages of a run of chunks (source, taker) to its takers.
    fn hand_over(&mut self, run: &[(usize, usize)], len: usize) -> Result<(), Refused> {
        let Some((source, taker)) = run.first() else { return Ok(()) };
        let prots: Vec<Option<Prot>> = run.iter().map(|(_, t)| self.pulls.get(t).map(|p| p.prot)).collect();
        let alike = prots.windows(2).all(|w| w[0] == w[1]);
        let prot = prots.first().copied().flatten().filter(|_| alike && len.is_multiple_of(PAGE_SIZE as usize));
        let moved =
            prot.is_some_and(|prot| move_host(*source, *taker, len).is_ok() && protect_host(*taker, len, prot).is_ok());
        for (source, taker) in run {
            if moved {
                self.pulls.remove(taker);
                self.shared.remove(source);
            } else {
                self.give(*source)?;
            }
        }
        Ok(())
    }
}
