//! The fuzz corpora, and simple mutations of them, run as tests: no input may panic the loader or the table parser.

use std::path::{Path, PathBuf};

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut out: Vec<_> = std::fs::read_dir(dir)
        .expect("the corpus is in the repository")
        .map(|e| e.expect("readable").path())
        .map(|p| (p.clone(), std::fs::read(p).expect("readable")))
        .collect();
    out.sort();
    assert!(out.len() >= 4, "the corpus of {name} has only {} files", out.len());
    out
}

/// A small generator of numbers: the tests are the same each time.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Calls `run` with truncated and altered copies.
fn mutate(bytes: &[u8], rounds: u32, mut run: impl FnMut(&[u8])) {
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15 ^ bytes.len() as u64);
    for _ in 0..rounds {
        let mut copy = bytes.to_vec();
        if random.next().is_multiple_of(8) {
            copy.truncate(random.next() as usize % (copy.len() + 1));
        }
        for _ in 0..1 + random.next() % 4 {
            if copy.is_empty() {
                break;
            }
            // Headers are where it matters.
            let reach = if random.next().is_multiple_of(4) { copy.len() } else { copy.len().min(512) };
            let at = random.next() as usize % reach;
            const EXTREMES: [u8; 5] = [0, 1, 0x7f, 0x80, 0xff];
            copy[at] = match random.next() % 3 {
                0 => EXTREMES[random.next() as usize % EXTREMES.len()],
                1 => copy[at] ^ 1 << (random.next() % 8),
                _ => random.next() as u8,
            };
        }
        run(&copy);
    }
}

#[test]
fn loader() {
    let (mut loaded, mut refused) = (0, 0);
    for (path, bytes) in corpus("loader") {
        let result = sevm::fuzz::load(&bytes);
        let good = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("good"));
        assert_eq!(result.is_ok(), good, "{}: {result:?}", path.display());
        mutate(&bytes, 2000, |b| match sevm::fuzz::load(b) {
            Ok(_) => loaded += 1,
            Err(e) => {
                assert!(!e.to_string().is_empty() && !e.to_string().contains('\n'));
                refused += 1;
            }
        });
    }
    assert!(loaded > 100 && refused > 100, "{loaded} loaded, {refused} refused: the mutations test only one side");
}

#[test]
fn tables() {
    for (_, bytes) in corpus("table") {
        sevm::fuzz::tables(&bytes);
        mutate(&bytes, 3000, sevm::fuzz::tables);
    }
}
