//! Where finished lines go: one writer for all threads, or one for each.

use super::buf::Buf;
use super::paint::Painter;
use crate::kernel::Tid;
use std::collections::BTreeMap;
use std::io::Write;

/// When written lines are handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// At once, begun lines too: somebody watches, or the guest writes to the same place.
    AtOnce,
    /// When the buffer is full and at the end.
    Buffered,
}

/// Opens the writer for a thread.
pub type Opener = Box<dyn FnMut(Tid) -> std::io::Result<Box<dyn Write>>>;

/// Where a trace goes.
pub enum Output {
    /// All of it to one place.
    One(Box<dyn Write>, Flush),
    /// A place for each thread (`-ff`).
    Separate(Opener),
}

/// Bytes kept before they are written to a file.
const BUFFER: usize = 1 << 16;

/// Lines on their way to one writer.
pub(super) struct Lines {
    writer: Box<dyn Write>,
    flush: Flush,
    /// Finished lines, and behind them the one in the making.
    pub out: Buf,
    /// Where in `out` the line in the making starts, and how many of its columns have been written already.
    line: usize,
    written: usize,
    /// The thread whose line is open.
    pub open: Option<Tid>,
    /// Colours lines on their way out.
    painter: Option<Painter>,
    error: Option<std::io::Error>,
}

impl Lines {
    pub(super) fn new(writer: Box<dyn Write>, flush: Flush) -> Lines {
        let out = Buf::with_capacity(if flush == Flush::Buffered { BUFFER + 4096 } else { 4096 });
        Lines { writer, flush, out, line: 0, written: 0, open: None, painter: None, error: None }
    }

    /// From now on lines are coloured.
    pub(super) fn paint(&mut self) {
        self.painter = Some(Painter::default());
    }

    /// The columns of the line in the making.
    pub(super) fn column(&self) -> usize {
        self.written + self.out.len() - self.line
    }

    /// Ends the line in the making.
    pub(super) fn end_line(&mut self) {
        self.out.push(b'\n');
        self.open = None;
        self.line = self.out.len();
        self.written = 0;
        if self.flush == Flush::AtOnce || self.out.len() >= BUFFER {
            self.write_out();
        }
    }

    /// Shows what has begun to whoever watches.
    pub(super) fn show(&mut self) {
        if self.flush == Flush::AtOnce {
            self.write_out();
        }
    }

    /// Hands on what there is. After an error nothing more is written; it is reported at the end.
    pub(super) fn write_out(&mut self) {
        self.written += self.out.len() - self.line;
        let painted = self.painter.as_mut().map(|p| p.paint(&self.out));
        let bytes = painted.as_ref().unwrap_or(&self.out);
        if self.error.is_none()
            && let Err(e) = self.writer.write_all(bytes).and_then(|()| self.writer.flush())
        {
            self.error = Some(e);
        }
        self.out.clear();
        self.line = 0;
    }

    fn finish(&mut self) -> std::io::Result<()> {
        self.write_out();
        self.error.take().map_or(Ok(()), Err)
    }
}

/// The lines of all threads.
pub(super) struct Outputs {
    /// Those of the thread at hand.
    pub now: Lines,
    /// With a writer for each thread: what opens it, the thread at hand, and the lines of the others.
    separate: Option<(Opener, Option<Tid>, BTreeMap<Tid, Lines>)>,
    /// A writer could not be opened.
    error: Option<std::io::Error>,
}

impl Outputs {
    pub(super) fn new(output: Output) -> Outputs {
        match output {
            Output::One(writer, flush) => Outputs { now: Lines::new(writer, flush), separate: None, error: None },
            Output::Separate(open) => Outputs {
                now: Lines::new(Box::new(std::io::sink()), Flush::Buffered),
                separate: Some((open, None, BTreeMap::new())),
                error: None,
            },
        }
    }

    /// Makes the lines of `tid` those at hand.
    pub(super) fn select(&mut self, tid: Tid) {
        let Some((open, current, others)) = &mut self.separate else { return };
        if *current == Some(tid) {
            return;
        }
        let wanted = others.remove(&tid).unwrap_or_else(|| {
            let writer = open(tid).unwrap_or_else(|e| {
                self.error.get_or_insert(e);
                Box::new(std::io::sink())
            });
            Lines::new(writer, Flush::Buffered)
        });
        let before = std::mem::replace(&mut self.now, wanted);
        if let Some(previous) = current.replace(tid) {
            others.insert(previous, before);
        }
    }

    /// Writes what the thread at hand has left, which has ended.
    pub(super) fn close(&mut self, tid: Tid) {
        if let Some((_, current, _)) = &mut self.separate
            && *current == Some(tid)
        {
            let nothing = Lines::new(Box::new(std::io::sink()), Flush::Buffered);
            let mut last = std::mem::replace(&mut self.now, nothing);
            *current = None;
            if let Err(e) = last.finish() {
                self.error.get_or_insert(e);
            }
        }
    }

    /// Writes out everything; the first failure counts.
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        let mut result = self.now.finish();
        if let Some((_, _, others)) = &mut self.separate {
            for lines in others.values_mut() {
                result = result.and(lines.finish());
            }
        }
        match self.error.take() {
            Some(e) => Err(e),
            None => result,
        }
    }
}
