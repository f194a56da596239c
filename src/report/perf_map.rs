//! `--perf-map`: the file by which perf(1) names translated code (linux/tools/perf/Documentation/jit-interface.txt).

use crate::Error;
use crate::cpu::Translation;
use crate::machine::Machine;
use crate::symbols::Functions;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

/// Writes the map of all translated code to `/tmp/perf-PID.map`, PID being sevm's own.
///
/// # Errors
/// The file cannot be written.
pub fn write(machine: &Machine) -> Result<(), Error> {
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let mut known: BTreeMap<Rc<[u8]>, Functions> = BTreeMap::new();
    let mut text = String::new();
    for piece in machine.cpus().flat_map(|cpu| cpu.translations()) {
        let name = name(&piece, &mut known);
        let _ = writeln!(text, "{:x} {:x} {name}", piece.host, piece.len);
    }
    std::fs::write(&path, text).map_err(|source| Error::Host { what: format!("cannot write '{path}'"), source })
}

/// A name for a piece: the guest's function and the offset in it, or else the file or the address.
fn name(piece: &Translation, known: &mut BTreeMap<Rc<[u8]>, Functions>) -> String {
    let Some((path, offset)) = &piece.file else { return format!("guest_{:#x}", piece.pc.0) };
    let functions = known.entry(Rc::clone(path)).or_insert_with(|| {
        File::open(OsStr::from_bytes(path)).map_or_else(|_| Functions::default(), |file| Functions::of_file(&file))
    });
    match functions.at(*offset, 4) {
        Some((name, behind)) => format!("{name}+{behind:#x}"),
        None => {
            let file = Path::new(OsStr::from_bytes(path)).file_name().unwrap_or_default();
            format!("{}+{offset:#x}", file.to_string_lossy())
        }
    }
}
